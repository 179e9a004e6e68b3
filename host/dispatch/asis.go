package dispatch

import (
	"context"
	"errors"
	"slices"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/sdk"
)

// ErrOnlyRuns says that a driver knows no create and start: its containers need an anchor.
var ErrOnlyRuns = errors.New("the driver cannot create and start")

// capabilityCreate is what a driver that implements sdk.Creator says it can do.
const capabilityCreate = "create"

// onlyCreators returns ErrOnlyRuns for a driver that does not create and start.
func onlyCreators(ctx context.Context, s *starting) error {
	d, err := s.wait()
	if err != nil {
		return err
	}
	return d.creates(ctx)
}

// creates returns ErrOnlyRuns where the driver does not create and start.
func (d *Driver) creates(ctx context.Context) error {
	about, err := d.Describe(ctx)
	if err == nil && !slices.Contains(about.Capabilities, capabilityCreate) {
		return ErrOnlyRuns
	}
	return err
}

// notifySocket is the variable of the caller's environment that a runtime makes something of in the container,
// the socket at which it says that it is ready (sd_notify(3); podman run --sdnotify=container), or nothing.
func (h *Host) notifySocket() []string {
	const name = "NOTIFY_SOCKET"
	if socket := h.getenv(name); socket != "" {
		return []string{name + "=" + socket}
	}
	return nil
}

// keepBundle leaves the caller's bundle to the driver. Where the runtime would refuse it for its version
// alone, the driver gets a copy of config.json with the version that it needs. The copy in the
// container's directory is there in any case, for exec.
func (p *Plan) keepBundle(r Request, b *bundle.Bundle) error {
	changed, err := b.Lower()
	if err != nil {
		return err
	}
	p.Changes = b.Changes()
	if !changed {
		p.bundle = b.Dir()
	}
	return p.dir.WriteFile(sdk.ConfigFile, b.JSON())
}
