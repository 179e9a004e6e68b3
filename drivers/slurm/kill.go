package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"syscall"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// Kill implements sdk.Lifecycle. The signal goes to the tasks of the step, which are the container's first
// processes; the compute node's Slurm sees to that. A request that waits for its job is ended by the signals
// that end programs.
func (d *driver) Kill(ctx context.Context, c *sdk.Container, sig syscall.Signal, all bool) error {
	if sig < 1 || sig > maxSignal {
		return sdk.Mark(fmt.Errorf("there is no signal %d", int(sig)), sdk.ErrInvalid)
	}
	r, err := readRecord(c)
	if errors.Is(err, sdk.ErrNotFound) && c.Pid != 0 {
		err = sdk.Mark(fmt.Errorf("container %q is ending", c.ID), sdk.ErrState)
	}
	if err != nil {
		return err
	}
	if c.Pid == 0 {
		return sdk.Mark(fmt.Errorf("container %q is stopped", c.ID), sdk.ErrState)
	}
	if all && sig != syscall.SIGKILL {
		return sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("Slurm sends signal %d to a step's tasks, and not to all of their processes", int(sig)), sdk.ErrUnsupported),
			"signal the container without --all, or kill it")
	}
	s, started, err := d.started(ctx, c, r)
	switch {
	case err != nil && sig != syscall.SIGKILL:
		return err
	case started && sig == syscall.SIGKILL:
		return d.kill(ctx, c, s)
	case started:
		return d.signal(ctx, c, s, sig)
	}
	return d.withdraw(ctx, c, sig)
}

const maxSignal = 64 // signal(7)

// signal sends a signal to a step, once. As long as srun is there Slurm may not know the step yet: it is noted
// before the nodes hear of it. That and no answer of slurmctld are reasons to try again; others are not, since the
// signal may have arrived.
func (d *driver) signal(ctx context.Context, c *sdk.Container, s step, sig syscall.Signal) error {
	var final error
	err := retry(ctx, func(ctx context.Context) error {
		_, err := d.call(ctx, "scancel", "--signal="+strconv.Itoa(int(sig)), s.String())
		switch {
		case isOver(err):
			if isSrun(c.Pid) {
				return err
			}
			return nil
		case says(err, "Unable to contact slurm controller"):
			return err
		case says(err, "No such process"): // one of many, which ended before its turn
			return nil
		}
		final = err
		return nil
	})
	return errors.Join(final, err)
}

// kill kills a step, and returns once srun has ended. Slurm calls a step that it does not know yet done, so what it
// says counts for nothing.
func (d *driver) kill(ctx context.Context, c *sdk.Container, s step) error {
	return retry(ctx, func(ctx context.Context) error {
		_, err := d.call(ctx, "scancel", "--signal=KILL", s.String())
		switch {
		case d.gone(ctx, c.Pid, killTime):
			return nil
		case err != nil && !isOver(err):
			return err
		}
		return sdk.Mark(fmt.Errorf("step %s does not end after SIGKILL", s), sdk.ErrUnavailable)
	})
}

// killTime is how long a killed step gets before it is killed again.
const killTime = 500 * time.Millisecond

// withdraw ends a srun that has no step.
func (d *driver) withdraw(ctx context.Context, c *sdk.Container, sig syscall.Signal) error {
	ending := []syscall.Signal{syscall.SIGKILL, syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT}
	if !slices.Contains(ending, sig) {
		return sdk.Mark(fmt.Errorf("container %q waits for its job: nothing runs yet that could get signal %d", c.ID, int(sig)), sdk.ErrState)
	}
	p, err := os.FindProcess(c.Pid)
	if err != nil {
		return sdk.Mark(err, sdk.ErrUnavailable)
	}
	defer p.Release()
	if !isSrun(c.Pid) { // it has asked for nothing yet
		return stopped(p.Signal(sig))
	}
	if err := stopped(p.Signal(syscall.SIGTERM)); err != nil || sig != syscall.SIGKILL {
		return err
	}
	if d.gone(ctx, c.Pid, withdrawTime) {
		return nil
	}
	return stopped(p.Signal(sig))
}

// withdrawTime is how long srun gets to give its request back by itself.
const withdrawTime = 2 * time.Second

func stopped(err error) error {
	if errors.Is(err, os.ErrProcessDone) {
		return sdk.Mark(errors.New("the container has just ended"), sdk.ErrState)
	}
	return err
}

// gone waits for the end of a process, for a while.
func (d *driver) gone(ctx context.Context, pid int, while time.Duration) bool {
	ctx, cancel := limit.WithTimeout(ctx, while, "not ended")
	defer cancel()
	for ctx.Err() == nil {
		if !isSrun(pid) {
			return true
		}
		pause(ctx)
	}
	return false
}
