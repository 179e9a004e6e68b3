package state

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
	"golang.org/x/sys/unix"
)

// patience is how long Create waits for a sweep or a delete that is just taking a dead container of
// the same ID away.
const patience = 2 * time.Second

// Create makes the directory of the container rec.ID, with rec as its record and Creating set in it,
// and returns it locked. Take rec from NewRecord of the process that is to become the container. A
// dead container of the same ID is replaced if it is provably dead (Dir.Dead), unless an anchor created
// it: its ID is taken until it is deleted (runtime-spec, runtime.md).
//
// sdk.ErrExists: the ID is taken. sdk.ErrInvalid: no container can have this ID.
// sdk.ErrUnavailable: the directory cannot be made; nothing is left of it.
func (r *Root) Create(rec Record) (*Dir, error) {
	if err := sdk.ValidateID(rec.ID); err != nil {
		return nil, err
	}
	d, err := makeHidden(r.homes[0].f, hiddenPrefix, r.uid)
	if err != nil {
		return nil, fmt.Errorf("creating container %q: %w", rec.ID, err)
	}
	rec.Creating = true
	if err = d.WriteRecord(rec); err == nil {
		err = r.publish(d, rec.ID)
	}
	if err != nil {
		_ = d.Remove() // what it leaves is hidden, for a sweep
		d.Close()
		return nil, fmt.Errorf("creating container %q: %w", rec.ID, err)
	}
	return d, nil
}

// publish gives a hidden directory its name.
func (r *Root) publish(d *Dir, id string) error {
	ctx, cancel := limit.WithTimeout(context.Background(), patience, "not deleted")
	defer cancel()
	for {
		if err := r.vacate(ctx, id); err != nil {
			return err
		}
		// rename(2) replaces no directory that has something in it, and what can be found
		// always has: this is exclusive.
		err := d.rename(id)
		if err == nil {
			return nil
		}
		if !errors.Is(err, fs.ErrExist) && !errors.Is(err, unix.ENOTEMPTY) {
			return sdk.Mark(err, sdk.ErrUnavailable)
		}
	}
}

// vacate removes a dead container, waiting until ctx is done for a process that is at work on it.
func (r *Root) vacate(ctx context.Context, id string) error {
	for {
		old, err := r.Find(id)
		if errors.Is(err, sdk.ErrNotFound) {
			return nil
		}
		if err != nil {
			return err
		}
		dead, err := old.Dead()
		if !dead {
			old.Close()
			return exists(id, err)
		}
		if taken, err := old.created(); taken {
			old.Close()
			return exists(id, err)
		}
		removed, err := old.removeDead(nil)
		old.Close()
		if removed || err != nil && !errors.Is(err, sdk.ErrNotFound) {
			return err
		}
		if ctx.Err() != nil {
			return exists(id, errors.New("another process is deleting it"))
		}
		time.Sleep(time.Millisecond)
	}
}

// created says whether the container was created by an anchor, all the way. One that a runtime has
// created is in that runtime's own state.
func (d *Dir) created() (bool, error) {
	rec, err := d.Record()
	if errors.Is(err, sdk.ErrNotFound) {
		return false, nil
	}
	if err != nil || rec.Operation != ByAnchor || rec.Creating {
		return err != nil, err
	}
	earlier, err := rec.earlierBoot()
	return !earlier, err
}

func exists(id string, why error) error {
	err := fmt.Errorf("container %q already exists", id)
	if why != nil {
		err = fmt.Errorf("%w: %w", err, why)
	}
	return sdk.Mark(err, sdk.ErrExists)
}
