package cmdline

import (
	"runtime/debug"

	"github.com/berth-hpc/berth/sdk/client"
)

// Version is what the build says of this program.
type Version struct {
	Version  string `json:"version"`
	Commit   string `json:"commit,omitempty"`
	Go       string `json:"go"`
	Protocol int    `json:"protocol"`
}

// CurrentVersion is the version of the running program.
func CurrentVersion() Version {
	v := Version{Version: "unknown", Protocol: client.Protocol}
	info, ok := debug.ReadBuildInfo()
	if !ok {
		return v
	}
	v.Version, v.Go = info.Main.Version, info.GoVersion
	for _, s := range info.Settings {
		if s.Key == "vcs.revision" {
			v.Commit = s.Value
		}
	}
	return v
}
