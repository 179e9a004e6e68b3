package ociruntime

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/berth-hpc/berth/sdk"
)

// Settings is the driver's table of berth.toml. There is deliberately no way to ask for systemd's
// cgroups: they would take the container out of its job's cgroup.
type Settings struct {
	Runtime       string `json:"runtime" doc:"absolute path of the runtime"`
	Root          string `json:"root" doc:"directory below which the runtime keeps its state, in a directory per user id; empty: the container's own directory, which goes with the container"`
	Rootless      string `json:"rootless" doc:"runc only: \"auto\", \"true\" or \"false\", as in runc --rootless"`
	CgroupManager string `json:"cgroup_manager" doc:"crun only: \"cgroupfs\", or \"disabled\" to leave every container in its caller's cgroup; empty: crun's default"`
	NoPivot       bool   `json:"no_pivot" doc:"use MS_MOVE and chroot instead of pivot_root, for nodes whose root file system is a ramdisk"`
	DebugLog      string `json:"debug_log" doc:"file that takes the runtime's debug messages where the caller asks for no log; its users must be able to write it"`

	runtime Runtime
}

func defaults(r Runtime) *Settings {
	return &Settings{Runtime: installed(r.places), Rootless: "auto", runtime: r}
}

// installed returns the first of the places that exists, since distributions differ, or the first.
func installed(places []string) string {
	for _, place := range places {
		if _, err := os.Stat(place); err == nil {
			return place
		}
	}
	return places[0]
}

// Validate says which setting makes no sense.
func (s *Settings) Validate() error {
	for _, path := range []struct{ key, value string }{
		{"runtime", s.Runtime}, {"root", s.Root}, {"debug_log", s.DebugLog},
	} {
		if !filepath.IsAbs(path.value) && (path.value != "" || path.key == "runtime") {
			return &sdk.SettingError{Key: path.key, Err: fmt.Errorf("%q is not an absolute path", path.value)}
		}
	}
	if err := oneOf("rootless", s.Rootless, "auto", "true", "false"); err != nil {
		return err
	}
	if err := oneOf("cgroup_manager", s.CgroupManager, "", "cgroupfs", "disabled"); err != nil {
		return err
	}
	if s.Rootless != "auto" && !s.runtime.takesRootless {
		return &sdk.SettingError{Key: "rootless", Err: errors.New("only runc has this choice")}
	}
	if s.CgroupManager != "" && !s.runtime.takesCgroupManager {
		return &sdk.SettingError{Key: "cgroup_manager", Err: errors.New("only crun has this choice")}
	}
	return nil
}

func oneOf(key, value string, choices ...string) error {
	if slices.Contains(choices, value) {
		return nil
	}
	return &sdk.SettingError{Key: key, Err: fmt.Errorf("%q is none of %q", value, choices)}
}
