package dispatch

import (
	"slices"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/cdi"
)

// devices finds the devices that the site gives a container and those that its user asks for. Policy
// judges the latter; what a container gets anyway, its user may ask for.
func (h *Host) devices(r Request, names []string, b *bundle.Bundle) (*cdi.Devices, error) {
	asked, err := b.Devices()
	if err != nil {
		return nil, err
	}
	names = slices.Clone(names)
	given := len(names)
	for _, name := range slices.Concat(asked, r.Devices) {
		if !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	policy := h.policy()
	if err := policy.JudgeDevices(names[given:]); err != nil {
		return nil, err
	}
	return cdi.Find(names, h.Config.CDIDirs, policy.Trusted)
}
