package ociruntime

import (
	"context"
	"fmt"

	gorunc "github.com/containerd/go-runc"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Driver drives one OCI runtime. It implements every optional interface of the SDK but Preparer.
type Driver struct {
	runtime  Runtime
	settings *Settings
}

// New returns the driver for a runtime, ready for plugin.Serve.
func New(r Runtime) *Driver {
	gorunc.Monitor = monitor{} // go-runc's one seam for how processes are started
	return &Driver{runtime: r, settings: defaults(r)}
}

// Settings implements sdk.Configurer.
func (d *Driver) Settings() any {
	d.settings = defaults(d.runtime)
	return d.settings
}

// Run implements sdk.Driver: the command is the runtime's own run.
func (d *Driver) Run(_ context.Context, c *sdk.Container) (*sdk.Command, error) {
	return d.begin("run", c)
}

// Create implements sdk.Creator: the command is the runtime's own create.
func (d *Driver) Create(_ context.Context, c *sdk.Container) (*sdk.Command, error) {
	return d.begin("create", c)
}

// begin plans the command that makes a container, after the checks that cost next to nothing: once
// the host has become the runtime, nobody is left to explain a failure.
func (d *Driver) begin(verb string, c *sdk.Container) (*sdk.Command, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	root, err := d.root(c)
	if err != nil {
		return nil, err
	}
	taken, err := exists(root, c.ID)
	if err != nil {
		return nil, err
	}
	if taken {
		return nil, fmt.Errorf("container %q: %w", c.ID, sdk.ErrExists)
	}
	if err := d.mappable(c); err != nil {
		return nil, err
	}
	if err := d.markElsewhere(c, root); err != nil {
		return nil, err
	}
	return d.plan(d.globals(d.beginRoot(verb, root, c), c.Log), d.beginArgs(verb, c)), nil
}

// Start implements sdk.Creator.
func (d *Driver) Start(ctx context.Context, c *sdk.Container) error {
	client, err := d.client(c)
	if err != nil {
		return err
	}
	return d.explained(ctx, c, "starting", client.Start(ctx, c.ID), specs.StateCreated)
}
