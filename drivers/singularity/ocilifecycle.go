package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/ociruntime"
	"github.com/berth-hpc/berth/sdk"
)

// Start implements sdk.Creator.
func (d *oci) Start(ctx context.Context, c *sdk.Container) error {
	_, err := d.call(ctx, c, "starting", "start", c.ID)
	return err
}

// lastNamed is the last signal that the oci commands know: none of the real-time ones (signal(7)).
const lastNamed = syscall.SIGSYS

// Kill implements sdk.Lifecycle.
func (d *oci) Kill(ctx context.Context, c *sdk.Container, sig syscall.Signal, all bool) error {
	if sig < 1 || sig > 64 {
		return sdk.Mark(fmt.Errorf("no signal has the number %d", int(sig)), sdk.ErrInvalid)
	}
	state, err := d.require(ctx, c, "signalling", specs.StateCreated, specs.StateRunning, sdk.StatusPaused)
	switch {
	case err != nil:
		return err
	case all:
		return ociruntime.SignalAll(ctx, state.Pid, sig)
	case sig > lastNamed:
		return sdk.Mark(syscall.Kill(state.Pid, sig), sdk.ErrState)
	}
	_, err = d.call(ctx, c, "signalling", "kill", c.ID, strconv.Itoa(int(sig)))
	return err
}

// Delete implements sdk.Lifecycle.
func (d *oci) Delete(ctx context.Context, c *sdk.Container, force bool) error {
	err := d.delete(ctx, c, force)
	if force && errors.Is(err, sdk.ErrNotFound) {
		err = nil
	}
	if err != nil && !errors.Is(err, sdk.ErrNotFound) {
		return err
	}
	if rmErr := os.Remove(mark(c)); rmErr != nil && !errors.Is(rmErr, os.ErrNotExist) && err == nil {
		err = fmt.Errorf("noting that container %q is gone: %w", c.ID, rmErr)
	}
	return err
}

func (d *oci) delete(ctx context.Context, c *sdk.Container, force bool) error {
	state, err := d.State(ctx, c)
	if err != nil {
		return err
	}
	if state.Status != specs.StateStopped {
		if !force && state.Status != specs.StateCreated {
			return sdk.Mark(fmt.Errorf("deleting container %q: it is %s", c.ID, state.Status), sdk.ErrState)
		}
		if err := ociruntime.SignalAll(ctx, state.Pid, syscall.SIGKILL); err != nil {
			return err
		}
		if err := d.stopped(ctx, c); err != nil {
			return err
		}
	}
	_, err = d.call(ctx, c, "deleting", "delete", c.ID)
	if err != nil && !errors.Is(err, sdk.ErrNotFound) {
		// SingularityCE fails where it looks for what only its create makes, with all done.
		if _, gone := d.state(ctx, c); !errors.Is(gone, sdk.ErrNotFound) {
			return err
		}
	}
	return d.monitorEnded(ctx, c)
}

// monitorEnded waits until the container's monitor has ended, which goes on for a moment after it has
// noted the container's end, with the job's streams open.
func (d *oci) monitorEnded(ctx context.Context, c *sdk.Container) error {
	wait := pause{}
	for {
		found, err := monitored(c.ID)
		if err != nil || !found {
			return err
		}
		if err := wait.once(ctx); err != nil {
			return fmt.Errorf("waiting for the monitor of container %q: %w", c.ID, err)
		}
	}
}

// monitored says whether a monitor runs, which has the container's ID for its name (starter.Run in the
// runtime's OciCreate).
func monitored(id string) (bool, error) {
	files, err := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			continue // it has ended
		}
		name := bytes.TrimRight(text, "\x00")
		if bytes.Equal(name, []byte("Apptainer OCI "+id)) || bytes.Equal(name, []byte("Singularity OCI "+id)) {
			return true, nil
		}
	}
	return false, err
}
