// Package cdi finds the devices that the node's CDI specifications describe, and says what they add to a
// container (https://github.com/cncf-tags/container-device-interface, SPEC.md).
//
// The edits are the work of the module tags.cncf.io/container-device-interface. Its caches, which watch
// directories, are made for daemons: ours reads the files once, and only where a device is asked for.
package cdi

import (
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"tags.cncf.io/container-device-interface/pkg/cdi"
	"tags.cncf.io/container-device-interface/pkg/parser"
	specs "tags.cncf.io/container-device-interface/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// AnnotationPrefix begins the annotations by which CDI has a bundle ask for devices.
const AnnotationPrefix = cdi.AnnotationPrefix

// Devices are devices of the node, found and not looked at yet.
type Devices struct{ all []edits }

// edits are what one device, or all devices of one specification, add.
type edits struct {
	from string // the specification's file, or the device that needs none
	specs.ContainerEdits
}

// ValidateName says what is wrong with the name of a device: VENDOR/CLASS=NAME as CDI has it, or the
// absolute path of a device node.
func ValidateName(name string) error {
	if filepath.IsAbs(name) && filepath.Clean(name) == name || parser.IsQualifiedName(name) {
		return nil
	}
	return fmt.Errorf("expected a device such as \"nvidia.com/gpu=0\" or \"/dev/fuse\", got %q", name)
}

// Find finds devices by name in the specifications of some directories, the later of which go before
// the earlier. Every specification that is used has to be trusted. No name, no devices: nil.
//
// ErrInvalid: a name is none. ErrUnavailable: no specification has the device, or one cannot be used;
// the error names the file.
func Find(names, dirs []string, trusted func(path string) error) (*Devices, error) {
	if len(names) == 0 {
		return nil, nil
	}
	f := finder{dirs: real(dirs), trusted: trusted}
	found := &Devices{}
	for _, name := range names {
		if err := ValidateName(name); err != nil {
			return nil, sdk.Mark(err, sdk.ErrInvalid)
		}
		if filepath.IsAbs(name) {
			node := &specs.DeviceNode{Path: name}
			found.all = append(found.all, edits{name, specs.ContainerEdits{DeviceNodes: []*specs.DeviceNode{node}}})
			continue
		}
		add, err := f.find(name)
		if err != nil {
			return nil, fmt.Errorf("device %q: %w", name, sdk.Mark(err, sdk.ErrUnavailable))
		}
		found.all = append(found.all, add...)
	}
	return found, nil
}

// real follows symbolic links, such as /var/run, through which nothing can be trusted.
func real(dirs []string) []string {
	var found []string
	for _, dir := range dirs {
		if path, err := filepath.EvalSymlinks(dir); err == nil {
			dir = path
		}
		found = append(found, dir)
	}
	return found
}

type finder struct {
	dirs    []string
	trusted func(string) error
	cache   *cdi.Cache
	used    []string // files whose own edits are there already
}

func (f *finder) find(name string) ([]edits, error) {
	if f.cache == nil {
		var err error
		if f.cache, err = cdi.NewCache(cdi.WithAutoRefresh(false), cdi.WithSpecDirs(f.dirs...)); err != nil {
			return nil, err
		}
	}
	device := f.cache.GetDevice(name)
	if device == nil {
		return nil, f.missing()
	}
	spec, file := device.GetSpec(), device.GetSpec().GetPath()
	if err := f.trusted(file); err != nil {
		return nil, fmt.Errorf("specification %s: %w", file, err)
	}
	var found []edits
	if !slices.Contains(f.used, file) {
		f.used = append(f.used, file)
		found = append(found, edits{file, spec.ContainerEdits})
	}
	return append(found, edits{file, device.ContainerEdits}), nil
}

// missing says why no specification has a device: one that cannot be read may have it.
func (f *finder) missing() error {
	broken := f.cache.GetErrors()
	for _, file := range slices.Sorted(maps.Keys(broken)) {
		text := strings.Join(strings.Fields(errors.Join(broken[file]...).Error()), " ") // YAML's errors have lines
		return fmt.Errorf("specification %s: %s", file, text)
	}
	there := func(dir string) bool { _, err := os.Stat(dir); return err == nil }
	if !slices.ContainsFunc(f.dirs, there) {
		return sdk.WithAdvice(fmt.Errorf("there are no CDI specifications: no directory %s", strings.Join(f.dirs, " or ")),
			"nvidia-ctk cdi generate --output=/etc/cdi/nvidia.yaml makes one for NVIDIA's GPUs")
	}
	known := f.cache.ListDevices()
	if len(known) == 0 {
		return fmt.Errorf("there are no CDI specifications in %s", strings.Join(f.dirs, ", "))
	}
	const few = 8
	if len(known) > few {
		known = append(known[:few:few], "…")
	}
	return sdk.WithAdvice(fmt.Errorf("no CDI specification in %s has it", strings.Join(f.dirs, ", ")), "this node has "+strings.Join(known, ", "))
}
