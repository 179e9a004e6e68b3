package ociruntime

import (
	"context"
	"errors"
	"syscall"

	gorunc "github.com/containerd/go-runc"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Delete implements sdk.Lifecycle. A created container is deleted without force, as runc and crun
// do. With force every process of the container is ended first, not only the first one, and what
// the runtime cannot remove of its own state is removed here.
func (d *Driver) Delete(ctx context.Context, c *sdk.Container, force bool) error {
	if force {
		return d.deleteForced(ctx, c)
	}
	allowed := []specs.ContainerState{specs.StateStopped, specs.StateCreated}
	client, err := d.client(c)
	if err != nil {
		return err
	}
	if !d.runtime.lax {
		return d.explained(ctx, c, "deleting", client.Delete(ctx, c.ID, nil), allowed...)
	}
	// Without asking, crun would forget a container whose state file is damaged and leave its
	// processes. With the state known, force makes it delete what is dead but not yet reaped.
	state, err := d.require(ctx, c, "deleting", allowed...)
	if err != nil {
		return err
	}
	force = state.Status == specs.StateStopped
	return d.failed(ctx, "deleting", c, client.Delete(ctx, c.ID, &gorunc.DeleteOpts{Force: force}))
}

func (d *Driver) deleteForced(ctx context.Context, c *sdk.Container) error {
	root, err := d.root(c)
	if err != nil {
		return err
	}
	state, err := d.State(ctx, c)
	if errors.Is(err, sdk.ErrNotFound) {
		return discard(root, c.ID) // what a create that died half-way has left
	}
	damaged := errors.Is(err, errDamaged)
	if err != nil && !damaged {
		return err
	}
	client, err := d.client(c)
	if err != nil {
		return err
	}
	if !damaged && state.Pid > 0 {
		if state.Status == sdk.StatusPaused {
			_ = client.Resume(ctx, c.ID) // a frozen process does not die; delete says what else is wrong
		}
		if err := SignalAll(ctx, state.Pid, syscall.SIGKILL); err != nil {
			return err
		}
	}
	err = client.Delete(ctx, c.ID, &gorunc.DeleteOpts{Force: true})
	if damaged || err == nil {
		// runc never removes what it cannot read; crun removes it. The processes of such a
		// container are known to the host alone, by its record.
		return discard(root, c.ID)
	}
	if taken, _ := exists(root, c.ID); !taken {
		return nil
	}
	return d.failed(ctx, "deleting", c, err)
}
