package ociruntime

import (
	"context"
	"fmt"
	"os"

	gorunc "github.com/containerd/go-runc"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Driver drives one OCI runtime. It implements every optional interface of the SDK but Preparer.
type Driver struct {
	runtime  Runtime
	settings *Settings
	key      string // where berth.toml names the runtime's program, for advice
}

// New returns the driver for a runtime, ready for plugin.Serve.
func New(r Runtime) *Driver {
	gorunc.Monitor = monitor{} // go-runc's one seam for how processes are started
	return &Driver{runtime: r, settings: defaults(r), key: "runtime in [drivers." + r.name + "]"}
}

// NewAt returns the driver for a runtime's program, for a driver that does more before it. Key says
// where that one's settings name the program: "low_level in [drivers.nvidia]".
func NewAt(r Runtime, program, key string) *Driver {
	d := New(r)
	d.settings.Runtime, d.key = program, key
	return d
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
	var b view
	if err := c.Decode(&b); err != nil {
		return nil, err
	}
	if err := d.directory(b.Root.Path); err != nil {
		return nil, err
	}
	if err := d.mappable(&b); err != nil {
		return nil, err
	}
	if err := d.markElsewhere(c, root); err != nil {
		return nil, err
	}
	globals, err := d.beginGlobals(verb, root, c)
	if err != nil {
		return nil, err
	}
	return d.plan(globals, d.beginArgs(verb, c)), nil
}

// directory refuses an image that is a file, which other drivers may take.
func (d *Driver) directory(root string) error {
	info, err := os.Stat(root)
	if err != nil || info.IsDir() {
		return nil // what is missing, the runtime says in its own words
	}
	return sdk.Mark(fmt.Errorf("root.path of config.json: %q is not a directory, and %s runs nothing else", root, d.runtime.name), sdk.ErrUnsupported)
}

// Start implements sdk.Creator.
func (d *Driver) Start(ctx context.Context, c *sdk.Container) error {
	client, err := d.client(c)
	if err != nil {
		return err
	}
	return d.explained(ctx, c, "starting", client.Start(ctx, c.ID), specs.StateCreated)
}
