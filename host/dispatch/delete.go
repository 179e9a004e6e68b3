package dispatch

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// Delete removes a container that has stopped, or with force ends one that runs and then removes
// it. With force an unknown ID is no error, and a container is removed even where its driver
// cannot be asked, as long as nothing of it runs. sdk.ErrState: it runs.
func (h *Host) Delete(id string, force bool) error {
	c, err := h.find(id)
	if force && errors.Is(err, sdk.ErrNotFound) {
		return h.removeAgain(h.Guard.Context(), id)
	}
	if err != nil {
		return err
	}
	defer c.close()
	ctx, cancel := limit.WithTimeout(h.Guard.Context(), h.Config.Deadlines.Delete, "not deleted")
	defer cancel()
	if force && c.record.Creating {
		_ = c.signal(syscall.SIGTERM) // whoever creates it gives up and cleans up; one that has ended needs no word
	}
	err = c.dir.Lock(ctx)
	if force && errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	if err := c.end(ctx, force); err != nil {
		return err
	}
	ctx, cancel = limit.WithTimeout(h.Guard.Context(), h.Config.Deadlines.Kill, "not deleted")
	defer cancel()
	if err := c.endStrays(ctx); err != nil {
		return err
	}
	if err := c.dir.Remove(); err != nil {
		return err
	}
	return h.removeAgain(ctx, id)
}

// removeAgain removes what a runtime has made anew after somebody, such as the poststop hook, had
// removed the container's directory: runtimes make their --root wherever it is missing. A new
// container of the same ID has a record, is therefore not dead, and stays.
func (h *Host) removeAgain(ctx context.Context, id string) error {
	root, err := h.Root()
	if err != nil {
		return err
	}
	dir, err := root.Find(id)
	if errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer dir.Close()
	if dead, err := dir.Dead(); err != nil || !dead {
		return nil // not ours any more
	}
	if err := dir.Lock(ctx); err != nil {
		return nil // somebody else is at it
	}
	if dead, err := dir.Dead(); err != nil || !dead {
		return nil
	}
	return dir.Remove()
}

// end sees to it that nothing of the container is left but its directory.
func (c *container) end(ctx context.Context, force bool) error {
	if dead, err := c.dir.Dead(); err == nil && dead {
		return nil
	}
	if c.waits() { // a created container needs no force
		force = true
		if err := c.endProcess(ctx, false); err != nil {
			return err
		}
	}
	err := c.ask(ctx, func(ctx context.Context, d *Driver, r *sdk.Container) error {
		return d.Delete(ctx, r, force)
	})
	unknown := errors.Is(err, sdk.ErrUnsupported) || errors.Is(err, sdk.ErrNotFound)
	switch {
	case unknown && !force && c.alive():
		return sdk.Mark(fmt.Errorf("container %q is running", c.dir.ID()), sdk.ErrState)
	case err != nil && !unknown && !force:
		return err
	}
	// Time of its own: the driver may have used up the other.
	ctx, cancel := limit.WithTimeout(c.host.Guard.Context(), ownEnd+c.host.Config.Deadlines.Kill, "not deleted")
	defer cancel()
	if endErr := c.endProcess(ctx, err == nil); endErr != nil {
		return endErr
	}
	if err == nil || unknown {
		return nil
	}
	return c.forget(err)
}

// forget decides what a forced delete makes of a driver's error, now that the recorded process is
// gone: what the runtime still keeps may stand for processes that only it can find.
func (c *container) forget(err error) error {
	if _, recordErr := c.dir.Record(); errors.Is(recordErr, sdk.ErrNotFound) {
		return nil // the poststop hook was faster than the driver
	}
	if dead, deadErr := c.dir.Dead(); deadErr == nil && dead {
		c.host.Log.Warn("deleting a container without its driver's consent", "id", c.dir.ID(), "error", err)
		return nil
	}
	return err
}

// ownEnd is how long a runtime that stays as parent gets to end after its container, with the
// container's status.
const ownEnd = 2 * time.Second

// endProcess returns when the recorded process has ended. It is killed, after a while where the
// runtime has ended the container and it should end by itself.
func (c *container) endProcess(ctx context.Context, byItself bool) error {
	if c.record.Pid == 0 {
		return nil
	}
	p, err := c.record.Process()
	if errors.Is(err, sdk.ErrState) {
		return nil
	}
	if err != nil {
		return err
	}
	defer p.Close()
	if err := p.Signal(0); errors.Is(err, sdk.ErrInvalid) {
		return nil // another user's: the record is not true, and there is nothing of ours to end
	}
	if byItself {
		soon, cancel := limit.WithTimeout(ctx, ownEnd, "not deleted")
		defer cancel()
		if p.Wait(soon) == nil {
			return nil
		}
	}
	if err := p.Signal(syscall.SIGKILL); err != nil && !errors.Is(err, sdk.ErrState) {
		return err
	}
	if err := p.Wait(ctx); err != nil {
		return sdk.Mark(fmt.Errorf("container %q: process %d does not end after SIGKILL: %w", c.dir.ID(), p.Pid(), err), sdk.ErrUnavailable)
	}
	return nil
}
