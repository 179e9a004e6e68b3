package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// makePath makes a directory, 0700, and those above it where they are missing.
func makePath(path string) error {
	err := unix.Mkdir(path, 0o700)
	if err == unix.ENOENT {
		if err = makePath(filepath.Dir(path)); err == nil {
			err = unix.Mkdir(path, 0o700)
		}
	}
	if err != nil && err != unix.EEXIST {
		return &os.PathError{Op: "mkdir", Path: path, Err: err}
	}
	return nil
}

// belowOwn opens Own: every container is an entry of it.
func (p Place) belowOwn(create bool) (*Root, error) {
	path, err := filepath.Abs(p.Own)
	if err != nil {
		return nil, sdk.Mark(fmt.Errorf("finding the container directory: %w", err), sdk.ErrUnavailable)
	}
	if create {
		if err := makePath(path); err != nil {
			return nil, sdk.Mark(fmt.Errorf("making the container directory: %w", err), sdk.ErrUnavailable)
		}
	}
	f, err := openDirectory(unix.AT_FDCWD, path, path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, p.none()
	}
	var st unix.Stat_t
	if err == nil {
		if err = unix.Fstat(int(f.Fd()), &st); err == nil && (int(st.Uid) != p.UID || st.Mode&(unix.S_IWGRP|unix.S_IWOTH) != 0) {
			err = fmt.Errorf("%q is not private to uid %d (owner %d, mode %04o)", path, p.UID, st.Uid, st.Mode&0o7777)
		}
		if err != nil {
			f.Close()
		}
	}
	if err != nil {
		return nil, sdk.Mark(fmt.Errorf("opening the container directory: %w", err), sdk.ErrUnavailable)
	}
	return &Root{uid: p.UID, homes: []*home{{path: path, f: f}}}, nil
}
