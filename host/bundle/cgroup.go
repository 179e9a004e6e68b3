package bundle

import (
	"fmt"
	"strings"

	"github.com/berth-hpc/berth/host/bundle/tree"
	"github.com/berth-hpc/berth/sdk"
)

// cgroup leaves an ordinary user's container in the cgroup that the caller is in: for a job, the
// one that holds its limits and by which it is ended.
func (a *adaptation) cgroup() error {
	if !a.o.Rootless {
		return nil
	}
	if a.linux().Get("cgroupsPath") != nil {
		a.linux().Remove("cgroupsPath")
		a.change("linux.cgroupsPath", whyCgroupsPath)
	}
	resources := a.linux().Get("resources")
	if resources == nil {
		return nil
	}
	path, limit := firstLimit("linux.resources", resources)
	why := whyNoLimits
	if limit != nil {
		if !a.o.Slurm {
			return a.limitRefused(path, limit)
		}
		why = whyJobLimits
	}
	a.linux().Remove("resources")
	a.change("linux.resources", why)
	return nil
}

func (a *adaptation) limitRefused(path string, limit *tree.Value) error {
	err := a.wrong(limit, path, "cannot be set: an ordinary user may not limit a container's resources")
	return sdk.WithAdvice(err, "remove it from config.json, or run the container in a job, whose limits hold for it")
}

// firstLimit returns the first value of linux.resources that would limit something. Engines write
// zeros, and -1 for "unlimited", where they want none. Device rules restrict nothing further: an
// ordinary user cannot make device nodes, and opens those of the node by their permissions.
func firstLimit(path string, v *tree.Value) (string, *tree.Value) {
	switch v.Kind() {
	case tree.Object:
		for name, member := range members(v) {
			if path == "linux.resources" && name == "devices" {
				continue
			}
			if p, limit := firstLimit(path+"."+name, member); limit != nil {
				return p, limit
			}
		}
	case tree.Array:
		if len(v.Items()) > 0 {
			return fmt.Sprintf("%s[0]", path), v.Items()[0]
		}
	case tree.Number:
		if n, ok := v.Int(); !ok || n > 0 {
			return path, v
		}
	case tree.String:
		if strings.TrimSpace(v.Text()) != "" {
			return path, v
		}
	case tree.Bool:
		if v.True() {
			return path, v
		}
	}
	return "", nil
}
