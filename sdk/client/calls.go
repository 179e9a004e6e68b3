package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/internal/settings"
	"github.com/berth-hpc/berth/sdk/internal/wire"
	"github.com/berth-hpc/berth/sdk/limit"
)

// The methods below ask the driver and wait for its answer until ctx is done: give it a limit, by
// limit.WithTimeout.
// They have the contracts of the SDK's interfaces; what the driver lacks is sdk.ErrUnsupported.

// Description is what a driver says of itself.
type Description struct {
	Version      string   `json:"version"` // of the driver; empty where its build does not say
	Protocol     int      `json:"protocol"`
	Capabilities []string `json:"capabilities"`
	Settings     []Key    `json:"settings"`
}

// Key is one key that the driver's table of berth.toml may hold.
type Key struct {
	Name    string `json:"key"`
	Type    string `json:"type"`
	Doc     string `json:"doc"`
	Default string `json:"default"` // as JSON
}

// Describe asks what the driver is and can do.
func (d *Driver) Describe(ctx context.Context) (*Description, error) {
	w, err := d.wire.Describe(ctx)
	if err != nil {
		return nil, d.failed(ctx, "Describe", err)
	}
	out := &Description{Version: w.Version, Protocol: wire.Version, Capabilities: w.Capabilities}
	for _, k := range w.Settings {
		out.Settings = append(out.Settings, keyOf(k))
	}
	return out, nil
}

func keyOf(k settings.Key) Key {
	return Key{Name: k.Name, Type: k.Type, Doc: k.Doc, Default: k.Default}
}

// Check implements sdk.Checker.
func (d *Driver) Check(ctx context.Context) (*sdk.Runtime, error) {
	found, err := d.wire.Check(ctx)
	return found, d.failed(ctx, "Check", err)
}

// Run implements sdk.Driver.
func (d *Driver) Run(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	cmd, err := d.wire.Run(ctx, c)
	return cmd, d.failed(ctx, "Run", err)
}

// Create implements sdk.Creator.
func (d *Driver) Create(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	cmd, err := d.wire.Create(ctx, c)
	return cmd, d.failed(ctx, "Create", err)
}

// Start implements sdk.Creator.
func (d *Driver) Start(ctx context.Context, c *sdk.Container) error {
	return d.failed(ctx, "Start", d.wire.Start(ctx, c))
}

// State implements sdk.Lifecycle.
func (d *Driver) State(ctx context.Context, c *sdk.Container) (*specs.State, error) {
	state, err := d.wire.State(ctx, c)
	return state, d.failed(ctx, "State", err)
}

// Kill implements sdk.Lifecycle.
func (d *Driver) Kill(ctx context.Context, c *sdk.Container, sig syscall.Signal, all bool) error {
	return d.failed(ctx, "Kill", d.wire.Kill(ctx, c, sig, all))
}

// Delete implements sdk.Lifecycle.
func (d *Driver) Delete(ctx context.Context, c *sdk.Container, force bool) error {
	return d.failed(ctx, "Delete", d.wire.Delete(ctx, c, force))
}

// Exec implements sdk.Execer.
func (d *Driver) Exec(ctx context.Context, c *sdk.Container, p *sdk.Process) (*sdk.Command, error) {
	cmd, err := d.wire.Exec(ctx, c, p)
	return cmd, d.failed(ctx, "Exec", err)
}

// Pause implements sdk.Pauser.
func (d *Driver) Pause(ctx context.Context, c *sdk.Container) error {
	return d.failed(ctx, "Pause", d.wire.Pause(ctx, c))
}

// Resume implements sdk.Pauser.
func (d *Driver) Resume(ctx context.Context, c *sdk.Container) error {
	return d.failed(ctx, "Resume", d.wire.Resume(ctx, c))
}

// Update implements sdk.Updater.
func (d *Driver) Update(ctx context.Context, c *sdk.Container, resources json.RawMessage) error {
	return d.failed(ctx, "Update", d.wire.Update(ctx, c, resources))
}

// Prepare implements sdk.Preparer. progress is called from the calling goroutine.
func (d *Driver) Prepare(ctx context.Context, c *sdk.Container, progress func(sdk.Progress)) error {
	return d.failed(ctx, "Prepare", d.wire.Prepare(ctx, c, progress))
}

// Release implements sdk.Preparer.
func (d *Driver) Release(ctx context.Context, s *sdk.Step) error {
	return d.failed(ctx, "Release", d.wire.Release(ctx, s))
}

// failed names the driver and, where the error is not the driver's own word, what became of it.
func (d *Driver) failed(ctx context.Context, call string, err error) error {
	var transport *wire.TransportError
	switch {
	case err == nil:
		return nil
	case errors.As(err, &transport):
		err = d.diagnose(ctx, call, transport)
	}
	return fmt.Errorf("driver %q: %w", d.name, err)
}

// diagnose says why a call ended without an answer.
func (d *Driver) diagnose(ctx context.Context, call string, transport *wire.TransportError) error {
	late := sdk.Mark(fmt.Errorf("no answer to %s in time", call), context.DeadlineExceeded)
	switch cause := context.Cause(ctx); {
	case limit.Cause(ctx) != nil:
		return sdk.Mark(fmt.Errorf("no answer to %s in time: not %s", call, limit.Cause(ctx).Within()), context.DeadlineExceeded)
	case errors.Is(cause, context.DeadlineExceeded):
		return late
	case cause != nil:
		return cause
	case transport.Late(): // by the driver's clock, a moment before ours
		return late
	case transport.Broken() && d.proc.waitEnded(deathNotice):
		d.proc.log.finish()
		return d.explain(fmt.Errorf("ended instead of answering %s", call), d.proc.howEnded())
	}
	return fmt.Errorf("no proper answer to %s: %s", call, quote(transport.Error()))
}

// explain adds to err how the driver ended, and its last words.
func (d *Driver) explain(err error, how string) error {
	if how != "" {
		err = fmt.Errorf("%w (%s)", err, how)
	}
	if words := d.proc.log.lastWords(); words != "" {
		err = fmt.Errorf("%w: %s", err, words)
	}
	return err
}
