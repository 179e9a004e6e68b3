// Package layout knows where berth's own files are: installed, or beside each other in a build
// tree.
package layout

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/berth-hpc/berth/host/trust"
)

// The parts of an installation that do not depend on its prefix.
const (
	configFile = "/etc/berth/berth.toml"
	initName   = "berth-init"
)

// Layout is where berth's own files are on this node. All paths are absolute.
type Layout struct {
	Config    string // berth.toml
	Drivers   string // directory of the files berth-driver-NAME
	Init      string // berth-init
	BuildTree bool   // not installed: the files lie beside each other
	Owner     int    // uid that owns the berth program
}

// Find looks where the running program lies. In PREFIX/bin it is installed, its drivers are in
// PREFIX/libexec/berth/drivers and its configuration is /etc/berth/berth.toml. With a berth-init
// beside it, it runs from a build tree, and everything is beside it.
func Find() (Layout, error) {
	self, err := os.Executable()
	if err != nil {
		return Layout{}, fmt.Errorf("finding berth's own program: %w", err)
	}
	info, err := os.Stat(self)
	if err != nil {
		return Layout{}, fmt.Errorf("finding berth's own program: %w", err)
	}
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	dir := filepath.Dir(self)
	if _, err := os.Lstat(filepath.Join(dir, initName)); err == nil {
		return Layout{
			Config: filepath.Join(dir, filepath.Base(configFile)), Drivers: dir,
			Init: filepath.Join(dir, initName), BuildTree: true, Owner: owner,
		}, nil
	}
	libexec := filepath.Join(filepath.Dir(dir), "libexec", "berth")
	return Layout{
		Config: copiedUp(configFile), Drivers: filepath.Join(libexec, "drivers"),
		Init: filepath.Join(libexec, initName), Owner: owner,
	}, nil
}

// Installed lists the names of the drivers in the driver directory, sorted. It does not say whether
// they can be trusted.
func (l Layout) Installed() ([]string, error) {
	files, err := filepath.Glob(filepath.Join(l.Drivers, trust.DriverPrefix+"*"))
	if err != nil {
		return nil, fmt.Errorf("listing the drivers in %s: %w", l.Drivers, err)
	}
	var names []string
	for _, file := range files {
		name := filepath.Base(file)[len(trust.DriverPrefix):]
		if trust.ValidateDriverName(name) == nil {
			names = append(names, name)
		}
	}
	return names, nil
}
