// Berth-driver-enroot runs images and bundles with NVIDIA's enroot.
package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/berth-hpc/berth/drivers/internal/request"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/plugin"
)

func main() { plugin.Serve(&driver{}) }

// driver implements sdk.Driver, Configurer, Checker, Preparer and Execer. enroot keeps no state of
// running containers: the host answers from its own records.
type driver struct{ settings *settings }

// The choices of settings.Isolation.
const (
	refuse = "refuse"
	share  = "share"
)

type settings struct {
	Runtime   string   `json:"runtime" doc:"absolute path of enroot"`
	Isolation string   `json:"isolation" doc:"what becomes of a bundle that asks for more isolation than the driver has enroot give: \"refuse\" it, or let it \"share\" what the node has"`
	Data      string   `json:"data" doc:"directory for unpacked images, in which every user can make one; empty: berth's own directory for the step, which is in memory on most nodes"`
	Cache     string   `json:"cache" doc:"directory in which every user can make one for the layers that enroot keeps between imports; empty: each step downloads all of them"`
	Hooks     []string `json:"hooks" doc:"absolute paths of enroot hooks that every container runs, such as /etc/enroot/hooks.d/98-nvidia.sh"`
}

// Settings implements sdk.Configurer.
func (d *driver) Settings() any {
	d.settings = &settings{Runtime: installed("/usr/bin/enroot", "/usr/local/bin/enroot"), Isolation: refuse, Hooks: []string{}}
	return d.settings
}

// installed returns the first of the places that exists, or the first.
func installed(places ...string) string {
	for _, place := range places {
		if _, err := os.Stat(place); err == nil {
			return place
		}
	}
	return places[0]
}

// Validate says which setting makes no sense.
func (s *settings) Validate() error {
	for _, one := range []struct {
		key, path string
		optional  bool
	}{{"runtime", s.Runtime, false}, {"data", s.Data, true}, {"cache", s.Cache, true}} {
		if !filepath.IsAbs(one.path) && (one.path != "" || !one.optional) {
			return notAbsolute(one.key, one.path)
		}
	}
	for _, hook := range s.Hooks {
		if !filepath.IsAbs(hook) || filepath.Ext(hook) != ".sh" {
			return &sdk.SettingError{Key: "hooks", Err: fmt.Errorf("%q is not an absolute path that ends in .sh", hook)}
		}
	}
	if !slices.Contains([]string{refuse, share}, s.Isolation) {
		return &sdk.SettingError{Key: "isolation", Err: fmt.Errorf("%q is neither %q nor %q", s.Isolation, refuse, share)}
	}
	return nil
}

func notAbsolute(key, path string) error {
	return &sdk.SettingError{Key: key, Err: fmt.Errorf("%q is not an absolute path", path)}
}

// unsupported is the error about a field of config.json, or of a request, that enroot cannot honour.
func unsupported(field, format string, args ...any) error {
	return request.Unsupported(field, format, args...)
}

var errDetached = errors.New("enroot runs in the foreground, on the streams of its caller, and keeps the caller's keyring")

// checkIO refuses what create's callers may ask of input and output.
func checkIO(io sdk.IO, files int) error {
	switch {
	case io != (sdk.IO{}):
		return sdk.Mark(errDetached, sdk.ErrUnsupported)
	case files > 0:
		return sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("enroot closes all descriptors but the standard streams, and the program needs %d more", files), sdk.ErrUnsupported),
			"for MPI start the step with srun --mpi=pmix, or --mpi=none where it is none, and without --preserve-fds")
	}
	return nil
}
