package bundle

import (
	"fmt"
	"os"
	"path"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/host/cdi"
	"github.com/berth-hpc/berth/sdk"
)

// DevicesAnnotation is the annotation by which a bundle asks for devices, separated by commas. Those
// of CDI itself (cdi.AnnotationPrefix) mean the same.
const DevicesAnnotation = "org.berth.devices"

// Devices returns the names of the devices that the document's annotations ask for.
func (b *Bundle) Devices() ([]string, error) {
	var names []string
	for key, v := range members(b.root.Get("annotations")) {
		if key != DevicesAnnotation && !strings.HasPrefix(key, cdi.AnnotationPrefix) {
			continue
		}
		for name := range strings.SplitSeq(v.Text(), ",") {
			if err := cdi.ValidateName(name); err != nil {
				return nil, b.wrong(v, fmt.Sprintf("annotations[%q]", key), "is wrong: %w", err)
			}
			names = append(names, name)
		}
	}
	return names, nil
}

// JudgeDevices says whether p lets a user have devices. A refusal is an ErrInvalid.
func (p Policy) JudgeDevices(names []string) error {
	for _, name := range names {
		if !p.allowsDevice(name) {
			err := sdk.Mark(fmt.Errorf("device %q is not allowed: policy of this node refuses it", name), sdk.ErrInvalid)
			return sdk.WithAdvice(err, fmt.Sprintf("an administrator may allow it in berth.toml: [policy] devices = [%q]", name))
		}
	}
	return nil
}

func (p Policy) allowsDevice(name string) bool {
	return slices.ContainsFunc(p.Devices, func(pattern string) bool {
		ok, err := path.Match(pattern, name)
		return ok && err == nil
	})
}

// devices checks that the device nodes an ordinary user's container wants are there: runtimes bind
// the node's, because only root can make new ones.
func (a *adaptation) devices() error {
	if !a.o.Rootless {
		return nil
	}
	for i, device := range a.linux().Get("devices").Items() {
		v := device.Get("path")
		if _, err := os.Stat(v.Text()); err != nil {
			return a.wrong(v, fmt.Sprintf("linux.devices[%d].path", i), "cannot be used: %w", err)
		}
	}
	return nil
}
