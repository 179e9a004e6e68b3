package ociruntime

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// State implements sdk.Lifecycle. Without a directory of the container's name below root no runtime
// knows it, so none is asked.
func (d *Driver) State(ctx context.Context, c *sdk.Container) (*specs.State, error) {
	root, err := d.root(c)
	if err != nil {
		return nil, err
	}
	taken, err := exists(root, c.ID)
	if err != nil {
		return nil, err
	}
	if !taken {
		return nil, fmt.Errorf("container %q: %w", c.ID, sdk.ErrNotFound)
	}
	if err := d.present(); err != nil {
		return nil, err
	}
	args := append(d.globals(root, sdk.Log{}), "state", c.ID)
	text, err := d.output(ctx, args...)
	if err != nil {
		return nil, d.failed(ctx, "asking the state of", c, err)
	}
	state, err := parseState(text, c.ID)
	if err != nil {
		return nil, fmt.Errorf("reading what %s says of container %q: %w", d.runtime.name, c.ID, err)
	}
	// Dead but not yet reaped is dead; crun 1.8 calls it running.
	if state.Pid > 0 && Dead(state.Pid) {
		state.Status, state.Pid = specs.StateStopped, 0
	}
	return state, nil
}

// parseState reads the one JSON document that a runtime's state prints.
func parseState(text []byte, id string) (*specs.State, error) {
	var state specs.State
	if err := json.Unmarshal(text, &state); err != nil {
		return nil, err
	}
	known := []specs.ContainerState{specs.StateCreating, specs.StateCreated, specs.StateRunning, specs.StateStopped, sdk.StatusPaused}
	switch {
	case state.ID != id:
		return nil, fmt.Errorf("it speaks of %q", state.ID)
	case !slices.Contains(known, state.Status):
		return nil, fmt.Errorf("unknown status %q", state.Status)
	case state.Pid < 0 || state.Pid == 1:
		return nil, fmt.Errorf("impossible pid %d", state.Pid)
	}
	return &state, nil
}

// require returns the container's state where its status is one of those that allow what the
// caller is about to do, a gerund.
func (d *Driver) require(ctx context.Context, c *sdk.Container, doing string, allowed ...specs.ContainerState) (*specs.State, error) {
	state, err := d.State(ctx, c)
	if err != nil {
		return nil, err
	}
	if !slices.Contains(allowed, state.Status) {
		return nil, fmt.Errorf("%s container %q: %w", doing, c.ID, sdk.Mark(fmt.Errorf("it is %s", state.Status), sdk.ErrState))
	}
	return state, nil
}

// explained looks at the state after a call failed: where the state did not allow it, that is the
// reason, whatever words the runtime had for it.
func (d *Driver) explained(ctx context.Context, c *sdk.Container, doing string, err error, allowed ...specs.ContainerState) error {
	if err == nil {
		return nil
	}
	if ctx.Err() == nil {
		_, reason := d.require(ctx, c, doing, allowed...)
		if errors.Is(reason, sdk.ErrState) || errors.Is(reason, sdk.ErrNotFound) {
			return reason
		}
	}
	return d.failed(ctx, doing, c, err)
}
