// Berth-driver-shifter runs images by their names with shifter.
package main

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"

	"github.com/berth-hpc/berth/drivers/internal/byname"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/plugin"
)

func main() { plugin.Serve(&driver{}) }

// driver implements sdk.Driver, Configurer and Checker. shifter keeps no state of containers that berth
// could ask for: the host answers from its own records.
type driver struct{ settings *settings }

type settings struct {
	Runtime   string `json:"runtime" doc:"absolute path of shifter"`
	Isolation string `json:"isolation" doc:"what becomes of a bundle that asks for more isolation than shifter gives: \"refuse\" it, or let it \"share\" what the node has"`
}

// Settings implements sdk.Configurer.
func (d *driver) Settings() any {
	d.settings = &settings{Runtime: installed(), Isolation: "refuse"}
	return d.settings
}

// installed returns where shifter is, or would be.
func installed() string {
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
	if !slices.Contains([]string{"refuse", "share"}, s.Isolation) {
		return &sdk.SettingError{Key: "isolation", Err: fmt.Errorf("%q is neither \"refuse\" nor \"share\"", s.Isolation)}
	}
	return nil
}

func (d *driver) runtime() *byname.Runtime {
	return &byname.Runtime{Name: "shifter", Path: d.settings.Runtime, Share: d.settings.Isolation == "share"}
}

// Check implements sdk.Checker.
func (d *driver) Check(context.Context) (*sdk.Runtime, error) {
	found := &sdk.Runtime{Name: "shifter"}
	if err := d.runtime().Usable(); err != nil {
		return found, err
	}
	found.Path = d.settings.Runtime
	return found, nil
}
