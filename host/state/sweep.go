package state

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// Sweep removes what nobody else will: containers that are provably dead and not Kept, and what
// processes that were killed left hidden. It begins anywhere among them and ends with its budget: each sweep
// is short and many reach everything. What others are at work on it leaves alone, and it may run in any
// number of processes at once.
//
// It returns how many directories it removed, and as an error what it could not remove or tell. A
// host on its way to run a container ignores that; a clean-up that somebody asked for reports it.
func (r *Root) Sweep(budget Budget) (int, error) {
	b := broom{root: r, limit: budget.Directories, allowance: &allowance{budget.Entries}}
	for _, h := range r.homes {
		b.sweep(h, "")
	}
	if !r.scratchFits() {
		b.sweepFallback()
	}
	return b.removed, errors.Join(b.errs...)
}

// Budget is what one sweep may do. It is counted in work and not in time, so that a slow or a busy node gets as
// much done as any other, and a big leftover holds nobody up.
type Budget struct {
	Directories int // how many containers and hidden directories it looks at
	Entries     int // how many names it removes in them; what is left of a directory is hidden until the next sweep
}

type broom struct {
	root      *Root
	limit     int
	allowance *allowance
	removed   int
	errs      []error
}

// sweep looks at what in h has a name with that prefix.
func (b *broom) sweep(h *home, prefix string) {
	names, err := listNames(h.f)
	if err != nil {
		b.errs = append(b.errs, fmt.Errorf("sweeping %q: %w", h.path, err))
	}
	start := rand.IntN(len(names) + 1)
	for i := range names {
		name := names[(start+i)%len(names)]
		if !strings.HasPrefix(name, prefix) || strings.HasPrefix(name, stepPrefix) {
			continue // what a step's tasks share takes a driver to undo
		}
		if b.limit <= 0 || b.allowance.left <= 0 {
			return
		}
		b.limit--
		removed, err := b.root.removeIfDead(h, name, b.allowance)
		if removed {
			b.removed++
		}
		if err != nil && !errors.Is(err, errSpent) {
			b.errs = append(b.errs, err)
		}
	}
}

// sweepFallback looks where Scratch goes when the home's path is too long. In that directory others
// make what they like: errors there mean nothing.
func (b *broom) sweepFallback() {
	f, err := openDirectory(atCwd, scratchFallback, scratchFallback)
	if err != nil {
		return
	}
	defer f.Close()
	errs := b.errs
	b.sweep(&home{path: scratchFallback, f: f}, b.root.scratchPrefix())
	b.errs = errs
}

// removeIfDead removes the container or hidden directory name of h if nothing is at work on it and
// nothing of it is alive.
func (r *Root) removeIfDead(h *home, name string, a *allowance) (bool, error) {
	d, err := r.open(h, name)
	if err != nil {
		if errors.Is(err, fs.ErrNotExist) {
			err = nil
		}
		return false, err
	}
	defer d.Close()
	if !hidden(name) { // before the lock, which those who work on it need
		if dead, err := d.Dead(); !dead {
			return false, err
		}
		if kept, err := d.kept(); kept {
			return false, err
		}
	}
	removed, err := d.removeDead(a)
	if errors.Is(err, sdk.ErrNotFound) {
		err = nil
	}
	return removed, err
}
