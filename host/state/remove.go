package state

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// Remove deletes the directory and everything in it. It follows no symbolic link, enters no other
// mount, needs no free space, and is done at once where nothing is left to remove. Hold the lock, from
// Create or Lock, unless no other process can know the container. Its ID is free as soon as Remove
// begins; where something cannot be removed the container keeps its ID and its record, so that a
// later Remove can finish.
//
// sdk.ErrUnavailable: something in it cannot be removed.
func (d *Dir) Remove() error { return d.remove(nil) }

// remove is Remove as far as the allowance goes. errSpent: the rest is hidden, for a later sweep.
func (d *Dir) remove(a *allowance) error {
	named, err := sameFile(d.parent, d.name, d.f)
	if err != nil {
		return sdk.Mark(err, sdk.ErrUnavailable)
	}
	if !named {
		return nil
	}
	name, path := d.name, d.path
	if !hidden(name) {
		// A container that disappears at once is never seen half removed. Where there is no
		// room for the longer name (ENOSPC) it is removed in place.
		_ = d.rename(hiddenPrefix + random())
	}
	err = d.empty(a)
	if errors.Is(err, errSpent) {
		return err
	}
	if err != nil {
		_ = d.rename(name)
		return sdk.Mark(fmt.Errorf("removing %q: %w", path, err), sdk.ErrUnavailable)
	}
	return nil
}

// empty removes what is in the directory, the record last, and the directory.
func (d *Dir) empty(a *allowance) error {
	const tries = 4 // against somebody who still writes in it
	var err error
	for range tries {
		if err = removeContent(d.f, recordFile, maxDepth, a); err != nil {
			return err
		}
		if err = removeContent(d.f, "", maxDepth, a); err != nil {
			return err
		}
		err = unix.Unlinkat(int(d.parent.Fd()), d.name, unix.AT_REMOVEDIR)
		if err == nil || err == unix.ENOENT {
			return nil
		}
		if !errors.Is(err, fs.ErrExist) && err != unix.ENOTEMPTY {
			return err
		}
	}
	return err
}

// removeDead removes the container if its lock is free and it is provably dead, as far as the allowance goes, and
// says whether it is gone. sdk.ErrNotFound: somebody else was faster.
func (d *Dir) removeDead(a *allowance) (bool, error) {
	if locked, err := d.tryLock(); !locked {
		return false, err
	}
	if !hidden(d.name) {
		if dead, err := d.Dead(); !dead {
			return false, err
		}
	}
	if err := d.remove(a); err != nil {
		return false, err
	}
	return true, nil
}

// rename gives the directory another name beside its own.
func (d *Dir) rename(name string) error {
	at := int(d.parent.Fd())
	path := filepath.Join(filepath.Dir(d.path), name)
	if err := unix.Renameat(at, d.name, at, name); err != nil {
		return fmt.Errorf("renaming %q to %q: %w", d.path, path, err)
	}
	d.name, d.path = name, path
	return nil
}
