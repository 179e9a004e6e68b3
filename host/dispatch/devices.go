package dispatch

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/cdi"
)

// DevicesVariable is the environment variable by which a job asks for devices: names, separated by commas.
const DevicesVariable = "BERTH_DEVICES"

// wishedDevices are those that the job's environment asks for.
func (h *Host) wishedDevices() ([]string, error) {
	value := h.getenv(DevicesVariable)
	if value == "" {
		return nil, nil
	}
	names := strings.Split(value, ",")
	for _, name := range names {
		if err := cdi.ValidateName(name); err != nil {
			return nil, fmt.Errorf("%s: %w", DevicesVariable, err)
		}
	}
	return names, nil
}

// devices finds the devices that the site gives a container and those that its user asks for. Policy
// judges the latter; what a container gets anyway, its user may ask for.
func (h *Host) devices(r Request, names []string, b *bundle.Bundle) (*cdi.Devices, error) {
	asked, err := b.Devices()
	if err != nil {
		return nil, err
	}
	wished, err := h.wishedDevices()
	if err != nil {
		return nil, err
	}
	names = slices.Clone(names)
	given := len(names)
	for _, name := range slices.Concat(asked, wished, r.Devices) {
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
