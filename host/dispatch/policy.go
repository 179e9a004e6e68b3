package dispatch

import "github.com/berth-hpc/berth/host/bundle"

// policy is what the configuration allows in a user's bundle.
func (h *Host) policy() bundle.Policy {
	c := h.Config.Policy
	return bundle.Policy{
		AnyHooks: c.AnyHooks, Hooks: c.Hooks, Annotations: c.Annotations,
		NamespacePaths: c.NamespacePaths, SeccompListener: c.SeccompListener,
		NetDevices: c.NetDevices, Devices: c.Devices, MountSources: c.MountSources,
		Trusted: func(path string) error {
			file, err := h.Trust.Open(path)
			if err == nil {
				file.Close()
			}
			return err
		},
	}
}
