package ociruntime

import (
	"context"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Pause implements sdk.Pauser. It needs a cgroup of the container's own, which an ordinary user
// seldom has: ErrUnavailable. The state is asked first, since runtimes also pause what is only
// created, and crun what is paused already.
func (d *Driver) Pause(ctx context.Context, c *sdk.Container) error {
	if _, err := d.require(ctx, c, "pausing", specs.StateRunning); err != nil {
		return err
	}
	client, err := d.client(c)
	if err != nil {
		return err
	}
	return d.failed(ctx, "pausing", c, client.Pause(ctx, c.ID))
}

// Resume implements sdk.Pauser. crun resumes what runs, too, so the state is asked first.
func (d *Driver) Resume(ctx context.Context, c *sdk.Container) error {
	if _, err := d.require(ctx, c, "resuming", sdk.StatusPaused); err != nil {
		return err
	}
	client, err := d.client(c)
	if err != nil {
		return err
	}
	return d.failed(ctx, "resuming", c, client.Resume(ctx, c.ID))
}
