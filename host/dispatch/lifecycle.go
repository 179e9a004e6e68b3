package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// Start runs the program of a created container. sdk.ErrState: it is not created.
func (h *Host) Start(id string) error {
	c, err := h.find(id)
	if err != nil {
		return err
	}
	defer c.close()
	if c.waits() {
		ctx, cancel := limit.WithTimeout(h.Guard.Context(), h.Config.Deadlines.Start, "not done")
		defer cancel()
		return c.open(ctx)
	}
	if err := c.notDead(); err == nil && c.record.Operation == opAnchor {
		return sdk.Mark(fmt.Errorf("container %q has been started before", id), sdk.ErrState)
	}
	return c.act(h.Config.Deadlines.Start, func(ctx context.Context, d *Driver, c *sdk.Container) error {
		return d.Start(ctx, c)
	})
}

// Pause stops all processes of a container for a while.
func (h *Host) Pause(id string) error {
	return h.act(id, h.Config.Deadlines.Kill, func(ctx context.Context, d *Driver, c *sdk.Container) error {
		return d.Pause(ctx, c)
	})
}

// Resume lets the processes of a paused container go on.
func (h *Host) Resume(id string) error {
	return h.act(id, h.Config.Deadlines.Kill, func(ctx context.Context, d *Driver, c *sdk.Container) error {
		return d.Resume(ctx, c)
	})
}

// Update sets limits of a container, an object as linux.resources of the OCI runtime specification.
func (h *Host) Update(id string, resources json.RawMessage) error {
	return h.act(id, h.Config.Deadlines.Kill, func(ctx context.Context, d *Driver, c *sdk.Container) error {
		return d.Update(ctx, c, resources)
	})
}

// act has the driver of a container that is not dead do something.
func (h *Host) act(id string, within time.Duration, call func(context.Context, *Driver, *sdk.Container) error) error {
	c, err := h.find(id)
	if err != nil {
		return err
	}
	defer c.close()
	return c.act(within, call)
}

func (c *container) act(within time.Duration, call func(context.Context, *Driver, *sdk.Container) error) error {
	if err := c.notDead(); err != nil {
		return err
	}
	ctx, cancel := limit.WithTimeout(c.host.Guard.Context(), within, "not done")
	defer cancel()
	return c.ask(ctx, call)
}

func (c *container) notDead() error {
	if dead, err := c.dir.Dead(); err == nil && dead {
		return sdk.Mark(fmt.Errorf("container %q is stopped", c.dir.ID()), sdk.ErrState)
	}
	return nil
}

// Kill sends a signal to the container's first process, or with all to each process in it.
// sdk.ErrState: it does not run.
func (h *Host) Kill(id string, sig syscall.Signal, all bool) error {
	c, err := h.find(id)
	if err != nil {
		return err
	}
	defer c.close()
	if err := c.notDead(); err != nil {
		return err
	}
	if c.waits() {
		return c.signal(sig)
	}
	ctx, cancel := limit.WithTimeout(h.Guard.Context(), h.Config.Deadlines.Kill, "not done")
	defer cancel()
	err = c.ask(ctx, func(ctx context.Context, d *Driver, r *sdk.Container) error {
		return d.Kill(ctx, r, sig, all)
	})
	// Without a state of the runtime's own, or before there is one, the recorded process is the
	// container: the host, the runtime, or the program itself.
	if errors.Is(err, sdk.ErrUnsupported) || errors.Is(err, sdk.ErrNotFound) {
		return c.signal(sig)
	}
	return err
}

func (c *container) signal(sig syscall.Signal) error {
	p, err := c.record.Process()
	if errors.Is(err, sdk.ErrState) {
		return sdk.Mark(fmt.Errorf("container %q is stopped", c.dir.ID()), sdk.ErrState)
	}
	if err != nil {
		return err
	}
	defer p.Close()
	return p.Signal(sig)
}
