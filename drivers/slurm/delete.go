package main

import (
	"context"
	"errors"
	"fmt"
	"syscall"

	"github.com/berth-hpc/berth/sdk"
)

// Delete implements sdk.Lifecycle. Where slurmctld does not answer nothing is forgotten, and Delete can be
// called again: the job would be lost otherwise.
func (d *driver) Delete(ctx context.Context, c *sdk.Container, force bool) error {
	r, err := readRecord(c)
	if errors.Is(err, sdk.ErrNotFound) && force {
		return nil
	}
	if err != nil {
		return err
	}
	if c.Pid != 0 && !force && isSrun(c.Pid) {
		return sdk.Mark(fmt.Errorf("container %q is running", c.ID), sdk.ErrState)
	}
	if err := d.end(ctx, c, r); err != nil {
		return fmt.Errorf("ending the job of container %q: %w", c.ID, err)
	}
	return ended(c.Root)
}

// end sees to it that the cluster has nothing to do with the container any more.
func (d *driver) end(ctx context.Context, c *sdk.Container, r *record) error {
	if c.Pid != 0 && isSrun(c.Pid) {
		if err := d.Kill(ctx, c, syscall.SIGKILL, false); err != nil && !errors.Is(err, sdk.ErrState) {
			return err
		}
		d.gone(ctx, c.Pid, withdrawTime)
	}
	if r.Node != "" {
		return nil // the nodes' directory goes first
	}
	return retry(ctx, func(ctx context.Context) error { return d.cancel(ctx, c, r) })
}

// cancel ends the container's job, or its step where the job is somebody else's.
func (d *driver) cancel(ctx context.Context, c *sdk.Container, r *record) error {
	s, started, err := d.started(ctx, c, r)
	if err != nil {
		return err
	}
	what := s.String()
	switch {
	case r.Ours && started:
		what = s.job
	case r.Ours && r.Job != "":
		what = r.Job
	case r.Ours:
		if what, err = d.find(ctx, r); err != nil || what == "" {
			return err
		}
	case !started:
		return nil
	}
	_, err = d.call(ctx, "scancel", "--signal=KILL", what)
	if isOver(err) {
		return nil
	}
	return err
}

// ended removes what was made for a container whose step is over, and ends a job that was made for it.
func ended(root string) error {
	r, err := readRecord(&sdk.Container{Root: root})
	if errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if r.Node != "" {
		if err := r.leaveNodes(); err != nil {
			return err
		}
	}
	if err := unstage(r.Staged); err != nil {
		return err
	}
	return forget(root)
}
