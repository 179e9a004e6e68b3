package wire

import (
	"slices"

	"github.com/berth-hpc/berth/sdk"
)

// Capabilities names what d implements beyond sdk.Driver, in a fixed order. It is read off the
// type, so it cannot lie.
func Capabilities(d sdk.Driver) []string {
	var names []string
	add := func(name string, ok bool) {
		if ok {
			names = append(names, name)
		}
	}
	_, ok := d.(sdk.Checker)
	add("check", ok)
	_, ok = d.(sdk.Lifecycle)
	add("lifecycle", ok)
	_, ok = d.(sdk.Creator)
	add("create", ok)
	_, ok = d.(sdk.Execer)
	add("exec", ok)
	_, ok = d.(sdk.Pauser)
	add("pause", ok)
	_, ok = d.(sdk.Updater)
	add("update", ok)
	_, ok = d.(sdk.Preparer)
	add("prepare", ok)
	if d, ok := d.(sdk.Imager); ok {
		for _, kind := range [...]string{sdk.ImageSquashFS, sdk.ImageSIF} {
			add(kind, slices.Contains(d.Images(), kind))
		}
	}
	return names
}
