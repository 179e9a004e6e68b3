package dispatch

import (
	"context"
	"errors"
	"math"
	"math/rand/v2"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// Collect removes all dead containers of this user and returns their IDs. Unlike the sweep of every
// call it also asks drivers, and leaves only what runs or cannot be told.
func (h *Host) Collect() ([]string, error) {
	root, err := h.Root()
	if err != nil {
		return nil, err
	}
	ids, err := root.IDs()
	if err != nil {
		return nil, err
	}
	var removed []string
	var failed []error
	for _, id := range ids {
		gone, err := h.collect(id)
		if err != nil {
			failed = append(failed, err)
		}
		if gone {
			removed = append(removed, id)
		}
	}
	// What killed processes left under hidden names has no ID to tell.
	if _, err := root.Sweep(state.Budget{Directories: maxHidden, Entries: math.MaxInt}); err != nil {
		failed = append(failed, err)
	}
	if err := h.releaseStale(h.Guard.Context(), maxHidden); err != nil {
		failed = append(failed, err)
	}
	return removed, errors.Join(failed...)
}

// Abandoned lists containers that have ended and that nobody is left to delete, because who promised to
// has ended too. It looks at no more than limit, beginning anywhere, so that each gets its turn.
func (h *Host) Abandoned(limit int) ([]string, error) {
	root, err := h.Root()
	if err != nil {
		return nil, err
	}
	ids, err := root.IDs()
	if err != nil {
		return nil, err
	}
	var found []string
	start := rand.IntN(len(ids) + 1)
	for i := range min(limit, len(ids)) {
		id := ids[(start+i)%len(ids)]
		dir, err := root.Find(id)
		if err != nil {
			continue // it has just gone
		}
		c := container{host: h, dir: dir}
		if c.record, err = dir.Record(); err == nil && c.record.Abandoned() && !c.alive() {
			found = append(found, id)
		}
		dir.Close()
	}
	return found, nil
}

// maxHidden bounds one collection of nameless leftovers.
const maxHidden = 100_000

func (h *Host) collect(id string) (bool, error) {
	c, err := h.find(id)
	if errors.Is(err, sdk.ErrNotFound) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	stopped, err := c.stopped(h.Guard.Context())
	c.close()
	if err != nil || !stopped {
		return false, err
	}
	err = h.Delete(id, false)
	if errors.Is(err, sdk.ErrNotFound) || errors.Is(err, sdk.ErrState) {
		return false, nil // somebody else removed it, or made it anew
	}
	return err == nil, err
}

func (c *container) stopped(ctx context.Context) (bool, error) {
	ctx, cancel := limit.WithTimeout(ctx, c.host.Config.Deadlines.State, "no state")
	defer cancel()
	state, err := c.state(ctx)
	if err != nil {
		return false, err
	}
	return state.Status == specs.StateStopped && !c.alive(), nil
}
