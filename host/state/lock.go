package state

import (
	"context"
	"fmt"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// Lock waits until no other process creates or deletes the container, and keeps others from it until
// d.Close, exec or death. It waits as long as ctx allows: give it a deadline. Taking it twice is no
// error.
//
// sdk.ErrState: another still has it when ctx is done. sdk.ErrNotFound: the container was removed.
func (d *Dir) Lock(ctx context.Context) error {
	const longest = 20 * time.Millisecond
	for pause := time.Millisecond; ; pause = min(2*pause, longest) {
		if locked, err := d.tryLock(); locked || err != nil {
			return err
		}
		select {
		case <-ctx.Done():
			err := fmt.Errorf("container %q is being created or deleted by another process: %w", d.name, context.Cause(ctx))
			return sdk.Mark(err, sdk.ErrState)
		case <-time.After(pause):
		}
	}
}

// tryLock takes the lock if it is free and says whether it did. sdk.ErrNotFound where the directory
// is no longer what its name leads to: who had the lock before has removed it.
func (d *Dir) tryLock() (bool, error) {
	err := unix.Flock(int(d.f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	if err == unix.EWOULDBLOCK {
		return false, nil
	}
	if err != nil {
		return false, sdk.Mark(fmt.Errorf("locking %q: %w", d.path, err), sdk.ErrUnavailable)
	}
	named, err := sameFile(d.parent, d.name, d.f)
	if err == nil && !named {
		err = gone(d.name)
	}
	if err != nil {
		unix.Flock(int(d.f.Fd()), unix.LOCK_UN)
		return false, err
	}
	return true, nil
}

// Unlock lets others create or delete the container; d stays open. A process that holds no lock can call
// it too.
func (d *Dir) Unlock() { _ = unix.Flock(int(d.f.Fd()), unix.LOCK_UN) }
