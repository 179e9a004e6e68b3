// Package supervise runs containers of drivers that have no single command for it: it creates,
// starts, waits, deletes, and ends with the container's exact status. Meanwhile this process stands in
// the container's place: it has the job's streams and passes every signal on.
package supervise

import (
	"context"
	"fmt"
	"os"

	"github.com/berth-hpc/berth/host/handoff"
	"github.com/berth-hpc/berth/sdk"
)

// Container is what supervision asks of a container and its driver. Every call ends by a deadline of
// its own, and none of them because of a signal but Start.
type Container interface {
	// Created returns the process of the container, which the create command has made.
	Created() (pid int, err error)
	// Start runs the program.
	Start() error
	// Status is the exit status as the runtime remembers it, for a container whose process is
	// nobody's child here.
	Status() (int, error)
	// Ended takes the exit status before Delete.
	Ended(status int)
	// Delete removes what the runtime keeps, and ends what runs.
	Delete() error
}

// Run runs the container that create creates. console is nil for one without a terminal.
//
// The status is the container's: 128 and the signal where it died of one. An error says that it was
// not started, and then nothing is left of it; where a signal is the reason it is the cause of the
// guard's context. What Delete had to say is for the caller to log.
func Run(g *handoff.Guard, create *sdk.Command, c Container, console *Console) (status int, deleted, err error) {
	signals := hear() // before anything is made: from here on none is lost
	defer signals.stop()
	p, err := made(g, create, c)
	if err == nil {
		defer p.close()
		err = start(c, console)
	}
	if err != nil {
		_ = c.Delete() // the error counts; what is left after a failed create is unknown to the driver
		return 0, nil, err
	}
	signals.forward(p, console)
	status, err = p.wait(c)
	if console != nil {
		console.Close()
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "berth: %v\n", err)
		status = statusUnknown
	}
	c.Ended(status)
	return status, c.Delete(), nil
}

// statusUnknown is the status of a container whose own nobody can tell.
const statusUnknown = 125

// made runs the create command and holds the container's process.
func made(g *handoff.Guard, create *sdk.Command, c Container) (*process, error) {
	pid, err := g.Spawn(create)
	if err != nil {
		return nil, err
	}
	ended, err := waitFor(pid)
	if err != nil {
		return nil, err
	}
	if g.Interrupted() != 0 {
		return nil, context.Cause(g.Context())
	}
	if ended != 0 {
		return nil, sdk.Mark(fmt.Errorf("creating the container: the runtime ended with status %d", ended), sdk.ErrUnavailable)
	}
	if pid, err = c.Created(); err != nil {
		return nil, fmt.Errorf("creating the container: %w", err)
	}
	return hold(pid)
}

func start(c Container, console *Console) error {
	if console != nil {
		if err := console.connect(); err != nil {
			return err
		}
	}
	if err := c.Start(); err != nil {
		return fmt.Errorf("starting the container: %w", err)
	}
	return nil // a signal that has come meanwhile is the program's
}
