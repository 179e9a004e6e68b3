package dispatch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// supervisedContainer is a container as supervision sees it.
type supervisedContainer struct {
	plan      *Plan
	container *container
}

// Created implements supervise.Container. From here on the record is of the container's own process.
func (s *supervisedContainer) Created() (int, error) {
	p := s.plan
	pid, err := s.pid()
	if err != nil {
		return 0, err
	}
	made, err := state.NewRecord(pid)
	if err != nil {
		return 0, err
	}
	p.record.Pid, p.record.StartTime, p.record.PidNamespace = made.Pid, made.StartTime, made.PidNamespace
	p.record.Creating = false
	s.container.record = p.record
	if err := p.dir.WriteRecord(p.record); err != nil {
		return 0, fmt.Errorf("recording the container: %w", err)
	}
	if p.supervision.callersPidFile != "" {
		if err := os.WriteFile(p.supervision.callersPidFile, []byte(strconv.Itoa(pid)), 0o644); err != nil {
			return 0, sdk.Mark(fmt.Errorf("writing the pid file: %w", err), sdk.ErrUnavailable)
		}
	}
	return pid, nil
}

// pid is what the runtime wrote, or what it says where it writes none.
func (s *supervisedContainer) pid() (int, error) {
	text, err := os.ReadFile(filepath.Join(s.plan.dir.Path(), pidFile))
	if pid, convErr := strconv.Atoi(strings.TrimSpace(string(text))); err == nil && convErr == nil && pid > 1 {
		return pid, nil
	}
	ctx, cancel := s.within(s.plan.host.Config.Deadlines.State)
	defer cancel()
	found, err := s.container.state(ctx)
	if err != nil {
		return 0, err
	}
	return found.Pid, nil
}

// within is a context that no signal ends: a container that was begun is brought to its end.
func (s *supervisedContainer) within(longest time.Duration) (context.Context, context.CancelFunc) {
	return limit.WithTimeout(context.WithoutCancel(s.plan.host.Guard.Context()), longest, "not done")
}

// Start implements supervise.Container.
func (s *supervisedContainer) Start() error {
	ctx, cancel := limit.WithTimeout(s.plan.host.Guard.Context(), s.plan.host.Config.Deadlines.Start, "not done")
	defer cancel()
	err := s.container.ask(ctx, func(ctx context.Context, d *Driver, c *sdk.Container) error { return d.Start(ctx, c) })
	if err == nil {
		s.plan.dir.Unlock() // from here on anybody may delete it
	}
	return err
}

// Status implements supervise.Container.
func (s *supervisedContainer) Status() (int, error) {
	ctx, cancel := s.within(s.plan.host.Config.Deadlines.State)
	defer cancel()
	var text string
	err := s.container.ask(ctx, func(ctx context.Context, d *Driver, c *sdk.Container) error {
		found, err := d.State(ctx, c)
		if err == nil {
			text = found.Annotations[sdk.ExitStatusAnnotation]
		}
		return err
	})
	if err != nil {
		return 0, err
	}
	status, err := strconv.Atoi(text)
	if err != nil || status < 0 || status > 255 {
		return 0, sdk.Mark(fmt.Errorf("driver %q says %q", s.plan.Driver, text), sdk.ErrUnavailable)
	}
	return status, nil
}

// Ended implements supervise.Container: whoever keeps the container's directory finds the status there.
func (s *supervisedContainer) Ended(status int) {
	if !s.plan.record.Kept {
		return
	}
	if err := s.plan.dir.WriteFile(statusFile, []byte(strconv.Itoa(status)+"\n")); err != nil {
		s.plan.host.Log.Debug("noting the exit status", "error", err)
	}
}

// Delete implements supervise.Container. What the driver does not know is deleted.
func (s *supervisedContainer) Delete() error {
	ctx, cancel := s.within(s.plan.host.Config.Deadlines.Delete)
	defer cancel()
	err := s.container.ask(ctx, func(ctx context.Context, d *Driver, c *sdk.Container) error { return d.Delete(ctx, c, true) })
	if errors.Is(err, sdk.ErrNotFound) || errors.Is(err, sdk.ErrUnsupported) {
		return nil
	}
	return err
}
