// Berth-driver-charliecloud runs bundles with Charliecloud's ch-run.
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

// driver implements sdk.Driver, Configurer, Checker, Execer and Imager. ch-run keeps no state of
// containers: the host answers from its own records.
type driver struct{ settings *settings }

// The choices of settings.Isolation.
const (
	refuse = "refuse"
	share  = "share"
)

type settings struct {
	Runtime   string `json:"runtime" doc:"absolute path of ch-run"`
	Isolation string `json:"isolation" doc:"what becomes of a bundle that asks for more isolation than ch-run gives: \"refuse\" it, or let it \"share\" what the node has"`
}

// Settings implements sdk.Configurer.
func (d *driver) Settings() any {
	d.settings = &settings{Runtime: installed("/usr/bin/ch-run", "/usr/local/bin/ch-run"), Isolation: refuse}
	return d.settings
}

// Images implements sdk.Imager.
func (d *driver) Images() []string { return []string{sdk.ImageSquashFS} }

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
	if !filepath.IsAbs(s.Runtime) {
		return &sdk.SettingError{Key: "runtime", Err: fmt.Errorf("%q is not an absolute path", s.Runtime)}
	}
	if !slices.Contains([]string{refuse, share}, s.Isolation) {
		return &sdk.SettingError{Key: "isolation", Err: fmt.Errorf("%q is neither %q nor %q", s.Isolation, refuse, share)}
	}
	return nil
}

// unsupported is the error about a field of config.json, or of a request, that ch-run cannot honour.
func unsupported(field, format string, args ...any) error {
	return request.Unsupported(field, format, args...)
}

var errDetached = errors.New("ch-run runs in the foreground, on the streams of its caller, and keeps the node's root file system and keyring as they are")

// checkIO refuses what create's callers may ask of input and output.
func checkIO(io sdk.IO) error {
	if io != (sdk.IO{}) {
		return sdk.Mark(errDetached, sdk.ErrUnsupported)
	}
	return nil
}
