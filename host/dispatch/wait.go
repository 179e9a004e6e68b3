package dispatch

import (
	"context"
	"errors"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// Wait blocks until a container has ended, or Guard's context is done, and returns its exit status
// in decimal: known only where berth-init stayed to see it, else "unknown".
func (h *Host) Wait(id string) (string, error) {
	c, err := h.find(id)
	if err != nil {
		return "", err
	}
	defer c.close()
	// Opened now: at the container's end its directory is removed.
	status, err := openStatus(c.dir.Path())
	if err != nil {
		return "", err
	}
	defer status.Close() // nil where there is none, which Close takes
	if err := c.wait(h.Guard.Context()); err != nil {
		return "", err
	}
	if status == nil {
		return unknown, nil
	}
	known, err := readStatus(status)
	if known == "" {
		known = unknown
	}
	return known, err
}

// pollTime is how often a container is looked at whose end no process that we know of marks.
const pollTime = 100 * time.Millisecond

func (c *container) wait(ctx context.Context) error {
	p, err := c.record.Process()
	if err == nil {
		defer p.Close()
		if err := p.Wait(ctx); err != nil {
			return context.Cause(ctx)
		}
	} else if !errors.Is(err, sdk.ErrState) {
		return err
	}
	// The recorded process is the container under "run". After "create", or after a SIGKILL of the
	// runtime, the container outlives it.
	for {
		state, err := c.state(ctx)
		if errors.Is(err, sdk.ErrNotFound) || err == nil && state.Status == specs.StateStopped {
			return nil
		}
		if ctx.Err() != nil {
			return context.Cause(ctx)
		}
		if err != nil {
			return err
		}
		if err := untilGone(ctx, state.Pid); err != nil {
			return err
		}
	}
}

// untilGone waits for the process that a runtime named, by its pidfd where it gives one.
func untilGone(ctx context.Context, pid int) error {
	fd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		defer unix.Close(fd)
	}
	timer := time.NewTimer(pollTime)
	defer timer.Stop()
	if err != nil {
		select {
		case <-ctx.Done():
			return context.Cause(ctx)
		case <-timer.C:
			return nil
		}
	}
	for ctx.Err() == nil {
		n, err := unix.Poll([]unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}, int(pollTime.Milliseconds()))
		if n > 0 || err != nil && !errors.Is(err, unix.EINTR) {
			return nil
		}
	}
	return context.Cause(ctx)
}
