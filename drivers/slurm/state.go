package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// State implements sdk.Lifecycle. Nobody is asked: the container is there as long as srun is, which is its
// process on this node, and ends with the job's step.
func (d *driver) State(_ context.Context, c *sdk.Container) (*specs.State, error) {
	_, err := readRecord(c)
	if err != nil && !(errors.Is(err, sdk.ErrNotFound) && c.Pid != 0) { // srun's epilog forgets it just before srun's end
		return nil, err
	}
	state := &specs.State{Version: specs.Version, ID: c.ID, Bundle: c.Bundle, Pid: c.Pid, Annotations: c.Annotations}
	switch {
	case c.Pid == 0:
		state.Status = specs.StateStopped
	case err != nil || isSrun(c.Pid):
		state.Status = specs.StateRunning
	default: // whoever is going to be srun
		state.Status = specs.StateCreated
	}
	return state, nil
}

// isSrun says whether a process has become srun.
func isSrun(pid int) bool {
	name, err := os.ReadFile(filepath.Join("/proc", fmt.Sprint(pid), "comm"))
	return err == nil && strings.TrimSpace(string(name)) == "srun"
}
