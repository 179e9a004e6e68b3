package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/ociruntime"
	"github.com/berth-hpc/berth/sdk"
)

// State implements sdk.Lifecycle. A container whose process has ended is stopped, and State waits for
// the monitor to say with which status: it removes the control groups first. One that was killed notes nothing.
func (d *oci) State(ctx context.Context, c *sdk.Container) (*specs.State, error) {
	notes, wait := true, pause{}
	for {
		state, err := d.state(ctx, c)
		if err != nil || state.Status == specs.StateStopped {
			return state, err
		}
		if state.Pid > 0 && !ociruntime.Dead(state.Pid) {
			return state, nil
		}
		if !notes { // and none did when it was asked
			state.Status, state.Pid = specs.StateStopped, 0
			return state, nil
		}
		if notes, err = monitored(c.ID); err == nil && notes {
			err = wait.once(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("waiting for the monitor of container %q to note its end: %w", c.ID, err)
		}
	}
}

// state is what the runtime says.
func (d *oci) state(ctx context.Context, c *sdk.Container) (*specs.State, error) {
	out, err := d.call(ctx, c, "asking for the state of", "state", c.ID)
	if err != nil {
		return nil, err
	}
	var said struct {
		specs.State
		ExitCode *int `json:"exitCode"`
	}
	if err := json.Unmarshal(out, &said); err != nil {
		return nil, fmt.Errorf("parsing the state of container %q: %w", c.ID, err)
	}
	if said.Status != specs.StateStopped {
		return &said.State, nil
	}
	said.Pid = 0
	if said.ExitCode != nil {
		annotations := map[string]string{}
		maps.Copy(annotations, said.Annotations)
		annotations[sdk.ExitStatusAnnotation] = strconv.Itoa(*said.ExitCode)
		said.Annotations = annotations
	}
	return &said.State, nil
}

// require is State for what can only be done in some states.
func (d *oci) require(ctx context.Context, c *sdk.Container, doing string, states ...specs.ContainerState) (*specs.State, error) {
	state, err := d.State(ctx, c)
	if err != nil {
		return nil, err
	}
	for _, s := range states {
		if state.Status == s {
			return state, nil
		}
	}
	return nil, sdk.Mark(fmt.Errorf("%s container %q: it is %s", doing, c.ID, state.Status), sdk.ErrState)
}

// stopped waits for the container's end.
func (d *oci) stopped(ctx context.Context, c *sdk.Container) error {
	wait := pause{}
	for {
		state, err := d.State(ctx, c)
		if errors.Is(err, sdk.ErrNotFound) || err == nil && state.Status == specs.StateStopped {
			return nil
		}
		if err == nil {
			err = wait.once(ctx)
		}
		if err != nil {
			return err
		}
	}
}
