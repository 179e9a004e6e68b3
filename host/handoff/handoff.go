// Package handoff replaces the host by a driver's plan: the driver is ended and reaped, and then
// the host's process becomes the runtime. Afterwards no process, thread, descriptor or signal
// handler of ours is left.
package handoff

import (
	"context"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// Guard stands over the time between the start of the host and the exec.
type Guard struct {
	inherited map[int]bool // descriptors that were open before this program began
	passed    []int        // descriptors of the job's, which the plan gets as 3, 4 and so on
	children  map[int]bool
	subreaper bool // whether this process was one before Begin
	signals   *signals
}

// Begin takes hold of the process: every descriptor above the standard streams is closed on exec,
// orphans of the driver come to us, and signals that would end the process are held for Exec or
// DieOf to act on. files is the number of descriptors from 3 on that belong to the job; it is
// sdk.ErrInvalid when one of them is not open.
func Begin(files int) (*Guard, error) {
	inherited, err := inherited()
	if err != nil {
		return nil, err
	}
	if err := closeOnExec(); err != nil {
		return nil, fmt.Errorf("closing inherited descriptors on exec: %w", err)
	}
	g := &Guard{inherited: inherited, children: children()}
	var own []int
	for fd := 3; fd < 3+files; fd++ {
		own = append(own, fd)
	}
	if err := g.PassOn(own...); err != nil {
		return nil, err
	}
	g.subreaper, err = isSubreaper()
	if err != nil {
		return nil, fmt.Errorf("asking for the subreaper flag: %w", err)
	}
	if err := setSubreaper(true); err != nil {
		return nil, fmt.Errorf("becoming a subreaper: %w", err)
	}
	g.signals = holdSignals()
	return g, nil
}

// Exec becomes cmd. The caller has closed the driver. It returns only where it could not, with
// everything as it was before: nothing has been started, signals are held, and the error says why.
// After a signal that asked for the host's end that is the cause of Context.
func (g *Guard) Exec(cmd *sdk.Command) error {
	if err := g.reapStrays(); err != nil {
		return err
	}
	if cmd.Dir != "" {
		back, err := enter(cmd.Dir)
		if err != nil {
			return fmt.Errorf("entering the runtime's working directory: %w", err)
		}
		defer back() // never happens where the exec succeeds
	}
	if err := setSubreaper(g.subreaper); err != nil {
		return fmt.Errorf("giving the subreaper flag back: %w", err)
	}
	defer func() { _ = setSubreaper(true) }()
	g.signals.letGo()
	if g.Interrupted() != 0 {
		return context.Cause(g.Context())
	}
	defer func() { g.signals = holdSignals() }()
	back, err := g.pass()
	defer back()
	if err != nil {
		return err
	}
	// syscall.Exec gives back the limit of open files that Go raised; a raw execve would not.
	return fmt.Errorf("executing %s: %w", cmd.Path, syscall.Exec(cmd.Path, cmd.Args, cmd.Env))
}

// Release ends what a driver may have left running and gives back what Begin took, signals
// excepted. Calling it again is harmless.
func (g *Guard) Release() {
	_ = g.reapStrays() // what cannot be killed goes to the reaper that it would have had without us
	_ = setSubreaper(g.subreaper)
}

// enter changes the working directory, and returns what changes it back.
func enter(dir string) (back func(), err error) {
	here, err := unix.Open(".", unix.O_PATH|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, err
	}
	if err := os.Chdir(dir); err != nil {
		unix.Close(here)
		return nil, err
	}
	return func() {
		_ = unix.Fchdir(here)
		unix.Close(here)
	}, nil
}
