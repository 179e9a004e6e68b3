// Berth-driver-nvidia runs bundles with crun or runc after nvidia-container-runtime has given them
// their GPUs.
package main

import (
	"context"
	"encoding/json"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/ociruntime"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/plugin"
)

func main() { plugin.Serve(&driver{}) }

// driver implements what the driver of the low-level runtime implements, by that driver: what is its
// own is what happens to a bundle before Run and Create.
type driver struct{ settings *settings }

// Settings implements sdk.Configurer.
func (d *driver) Settings() any {
	d.settings = defaults()
	return d.settings
}

// low is the driver of the runtime that runs the containers.
func (d *driver) low() *ociruntime.Driver {
	runtime, _ := lowLevel(d.settings.LowLevel) // Validate has looked at it
	return ociruntime.NewAt(runtime, d.settings.LowLevel, "low_level in [drivers.nvidia]")
}

// Run implements sdk.Driver.
func (d *driver) Run(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	if err := d.inject(ctx, c); err != nil {
		return nil, err
	}
	return d.low().Run(ctx, c)
}

// Create implements sdk.Creator.
func (d *driver) Create(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	if err := d.inject(ctx, c); err != nil {
		return nil, err
	}
	return d.low().Create(ctx, c)
}

// Start implements sdk.Creator.
func (d *driver) Start(ctx context.Context, c *sdk.Container) error { return d.low().Start(ctx, c) }

// State implements sdk.Lifecycle.
func (d *driver) State(ctx context.Context, c *sdk.Container) (*specs.State, error) {
	return d.low().State(ctx, c)
}

// Kill implements sdk.Lifecycle.
func (d *driver) Kill(ctx context.Context, c *sdk.Container, sig syscall.Signal, all bool) error {
	return d.low().Kill(ctx, c, sig, all)
}

// Delete implements sdk.Lifecycle.
func (d *driver) Delete(ctx context.Context, c *sdk.Container, force bool) error {
	return d.low().Delete(ctx, c, force)
}

// Exec implements sdk.Execer.
func (d *driver) Exec(ctx context.Context, c *sdk.Container, p *sdk.Process) (*sdk.Command, error) {
	return d.low().Exec(ctx, c, p)
}

// Pause implements sdk.Pauser.
func (d *driver) Pause(ctx context.Context, c *sdk.Container) error { return d.low().Pause(ctx, c) }

// Update implements sdk.Updater.
func (d *driver) Update(ctx context.Context, c *sdk.Container, resources json.RawMessage) error {
	return d.low().Update(ctx, c, resources)
}

// Resume implements sdk.Pauser.
func (d *driver) Resume(ctx context.Context, c *sdk.Container) error { return d.low().Resume(ctx, c) }
