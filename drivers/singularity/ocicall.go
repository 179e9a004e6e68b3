package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/berth-hpc/berth/sdk"
)

// argv is one of the runtime's oci commands. Descriptors below keep are passed on, by sudo too where it
// is allowed to.
func (d *oci) argv(keep int, args ...string) []string {
	argv := append([]string{d.settings.Runtime, "--silent", "oci"}, args...)
	if !d.bySudo() {
		return argv
	}
	sudo := []string{d.settings.Sudo, "-n", "-H"}
	if keep > 3 {
		sudo = append(sudo, "-C", fmt.Sprint(keep))
	}
	return append(append(sudo, "--"), argv...)
}

// mark is the file in the container's root by which the host, and every later call, see that the runtime
// may know the container: its own state is elsewhere, and holds those of others, too. Apptainer makes it when the
// container is there, as the log of what goes through its pipes, which is nothing.
func mark(c *sdk.Container) string { return filepath.Join(c.Root, "runtime") }

func marked(c *sdk.Container) bool {
	_, err := os.Lstat(mark(c))
	return err == nil
}

// message is how the runtime, or crun or runc below SingularityCE, or sudo tells a kind of error.
type message struct {
	part string // of what it says, in lower case
	kind error
}

func messages() []message {
	return []message{
		{"no container found with name", sdk.ErrNotFound},
		{"the state of the container must be", sdk.ErrState},
		{"already exists", sdk.ErrExists},
		{"no such process", sdk.ErrState},
		{"command requires root privileges", sdk.ErrUnavailable},
		{"container does not exist", sdk.ErrNotFound},
		{"/status: no such file or directory", sdk.ErrNotFound},
		{"container not running", sdk.ErrState},
		{"is not stopped", sdk.ErrState},
		{"not in `created` or `stopped` state", sdk.ErrState},
		{"a password is required", sdk.ErrUnavailable},
		{"not allowed to execute", sdk.ErrUnavailable},
	}
}

// call makes one of the oci commands that end soon, and gives its error a kind. doing is a gerund.
//
// A container that is not marked is not berth's. The monitor truncates the file of a container's state
// before it writes it anew; whoever reads it in between hears that there is none. So that answer counts
// only where no monitor ran before the question: who else asks again, however long the monitor takes.
func (d *oci) call(ctx context.Context, c *sdk.Container, doing string, args ...string) ([]byte, error) {
	if err := d.privileged(); err != nil {
		return nil, err
	}
	if !marked(c) {
		return nil, sdk.Mark(fmt.Errorf("%s container %q: it does not exist", doing, c.ID), sdk.ErrNotFound)
	}
	writes, wait := true, pause{}
	for {
		out, err := short(ctx, d.argv(3, args...))
		for _, m := range messages() {
			if err != nil && strings.Contains(strings.ToLower(err.Error()), m.part) {
				err = fmt.Errorf("%s container %q: %w", doing, c.ID, sdk.Mark(err, m.kind))
				break
			}
		}
		if !errors.Is(err, sdk.ErrNotFound) || !writes {
			return out, err
		}
		if writes, err = monitored(c.ID); err != nil {
			return nil, err
		}
		if writes {
			err = wait.once(ctx)
		}
		if err != nil {
			return nil, fmt.Errorf("%s container %q, whose monitor has not noted its state: %w", doing, c.ID, err)
		}
	}
}

// pause is between two looks at what a monitor does: longer each time, for to ask the runtime costs more than
// the monitor's own work.
type pause struct{ last time.Duration }

// once waits, and says why where ctx ends first.
func (p *pause) once(ctx context.Context) error {
	p.last = min(max(p.last*2, 5*time.Millisecond), 160*time.Millisecond)
	timer := time.NewTimer(p.last)
	defer timer.Stop()
	select {
	case <-ctx.Done():
		return ctx.Err()
	case <-timer.C:
		return nil
	}
}
