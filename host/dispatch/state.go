package dispatch

import (
	"context"
	"errors"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// State tells the state of a container. Where the record already says that it is dead, no driver
// is started. sdk.ErrNotFound: there is none of this ID.
func (h *Host) State(id string) (*specs.State, error) {
	c, err := h.find(id)
	if err != nil {
		return nil, err
	}
	defer c.close()
	ctx, cancel := limit.WithTimeout(h.Guard.Context(), h.Config.Deadlines.State, "no state")
	defer cancel()
	return c.state(ctx)
}

func (c *container) state(ctx context.Context) (*specs.State, error) {
	if dead, err := c.dir.Dead(); err == nil && dead {
		return c.recorded(specs.StateStopped), nil
	}
	if c.record.Creating && c.alive() {
		return c.recorded(specs.StateCreating), nil
	}
	if c.waits() {
		return c.recorded(specs.StateCreated), nil
	}
	var state *specs.State
	err := c.ask(ctx, func(ctx context.Context, d *Driver, r *sdk.Container) (err error) {
		state, err = d.State(ctx, r)
		return err
	})
	switch {
	case err == nil:
		state.Bundle = c.record.Bundle
		return state, nil
	case errors.Is(err, sdk.ErrUnsupported): // a runtime that keeps no state: the process is the container
		return c.recorded(c.processStatus(specs.StateRunning)), nil
	case errors.Is(err, sdk.ErrNotFound): // not there yet, or gone already
		return c.recorded(c.processStatus(specs.StateCreating)), nil
	default:
		return nil, err
	}
}

// processStatus is alive where the recorded process runs, else stopped.
func (c *container) processStatus(alive specs.ContainerState) specs.ContainerState {
	if c.alive() {
		return alive
	}
	return specs.StateStopped
}

// recorded is the state as the record knows it.
func (c *container) recorded(status specs.ContainerState) *specs.State {
	state := &specs.State{
		Version: specs.Version, ID: c.dir.ID(), Status: status, Bundle: c.record.Bundle,
		Annotations: map[string]string{DriverAnnotation: c.record.Driver},
	}
	if status != specs.StateStopped {
		state.Pid = c.record.Pid
	}
	return state
}
