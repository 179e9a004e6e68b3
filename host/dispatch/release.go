package dispatch

import (
	"context"
	"errors"
	"fmt"

	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// ReleaseStep undoes what was prepared for a step on this node. That nothing was is no error, and it
// can be called again. sdk.ErrState: a task of the step is still at it.
func (h *Host) ReleaseStep(step *sdk.Step) error {
	ctx, cancel := limit.WithTimeout(h.Guard.Context(), h.Config.Deadlines.Release, "not released")
	defer cancel()
	return h.release(ctx, stepName(step))
}

// ReleaseLaunch is ReleaseStep for the containers of a launch outside of a cluster, once all have ended.
func (h *Host) ReleaseLaunch(launch string) error { return h.ReleaseStep(launchStep(launch)) }

func (h *Host) release(ctx context.Context, name string) error {
	root, err := h.Root()
	if err != nil {
		return err
	}
	s, err := root.FindStep(name)
	if errors.Is(err, sdk.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	defer s.Close()
	locked, err := s.TryLock()
	switch {
	case errors.Is(err, sdk.ErrNotFound):
		return nil // somebody else was faster
	case err != nil:
		return err
	case !locked:
		return sdk.Mark(fmt.Errorf("step %s is being prepared or released", name), sdk.ErrState)
	}
	if err := h.undo(ctx, s); err != nil {
		return fmt.Errorf("releasing step %s: %w", name, err)
	}
	return s.Remove()
}

// undo has the driver undo what it has prepared, or was preparing when its host died.
func (h *Host) undo(ctx context.Context, s *state.Step) error {
	note, err := s.Note()
	if errors.Is(err, sdk.ErrNotFound) {
		return nil // it was never asked
	}
	if err != nil {
		return err
	}
	d, err := h.openPreparer(ctx, note.Driver)
	if err != nil {
		return err
	}
	defer d.Close()
	note.Step.Dir, err = s.Shared()
	if err != nil {
		return err
	}
	return d.Release(ctx, &note.Step)
}

// staleLimit is how many steps a task releases that others have left, before it prepares its own.
const staleLimit = 2

// releaseStale releases steps of which no container is left, at most limit of them: those whose end
// nobody has told berth of. What goes wrong is returned, and is for the next one to try.
func (h *Host) releaseStale(ctx context.Context, limit int) error {
	root, err := h.Root()
	if err != nil {
		return err
	}
	names, err := root.Steps()
	if err != nil || len(names) == 0 {
		return err
	}
	used, err := h.stepsInUse(root)
	if err != nil {
		return err
	}
	var failed []error
	for _, name := range names {
		if used[name] || limit == 0 {
			continue
		}
		limit--
		if err := h.release(ctx, name); err != nil && !errors.Is(err, sdk.ErrState) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// stepsInUse are the steps of all containers that are not provably dead.
func (h *Host) stepsInUse(root *state.Root) (map[string]bool, error) {
	ids, err := root.IDs()
	if err != nil {
		return nil, err
	}
	used := map[string]bool{}
	for _, id := range ids {
		dir, err := root.Find(id)
		if errors.Is(err, sdk.ErrNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		record, err := dir.Record()
		dead, _ := dir.Dead()
		dir.Close()
		if err == nil && !dead {
			used[record.Prepared] = true
		}
	}
	return used, nil
}
