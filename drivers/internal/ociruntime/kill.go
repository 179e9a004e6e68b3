package ociruntime

import (
	"context"
	"fmt"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// maxSignal is Linux's SIGRTMAX.
const maxSignal = 64

// Kill implements sdk.Lifecycle. With all the signals are sent from here: without a cgroup of the
// container's own, runc 1.1 fails at kill --all, and crun reaches nobody and says it did.
func (d *Driver) Kill(ctx context.Context, c *sdk.Container, sig syscall.Signal, all bool) error {
	if sig < 1 || sig > maxSignal {
		return sdk.Mark(fmt.Errorf("no signal has the number %d", int(sig)), sdk.ErrInvalid)
	}
	allowed := []specs.ContainerState{specs.StateCreated, specs.StateRunning, sdk.StatusPaused}
	if all || d.runtime.lax {
		state, err := d.require(ctx, c, "signalling", allowed...)
		if err != nil {
			return err
		}
		if all {
			return SignalAll(ctx, state.Pid, sig)
		}
	}
	client, err := d.client(c)
	if err != nil {
		return err
	}
	return d.explained(ctx, c, "signalling", client.Kill(ctx, c.ID, int(sig), nil), allowed...)
}
