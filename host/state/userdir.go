package state

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// belowRuntimeDir opens the directory "berth" of the user's runtime directory.
func (p Place) belowRuntimeDir(create bool) (*Root, error) {
	base := p.UserRuntimeDir
	if !filepath.IsAbs(base) {
		return nil, p.unavailable(fmt.Errorf("XDG_RUNTIME_DIR %q is not an absolute path", base))
	}
	f, err := openDirectory(unix.AT_FDCWD, base, base)
	if err != nil {
		return nil, p.unavailable(fmt.Errorf("opening XDG_RUNTIME_DIR: %w", err))
	}
	defer f.Close()
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return nil, p.unavailable(fmt.Errorf("opening XDG_RUNTIME_DIR: %w", err))
	}
	if int(st.Uid) != p.UID || st.Mode&(unix.S_IWGRP|unix.S_IWOTH) != 0 {
		return nil, p.unavailable(fmt.Errorf("XDG_RUNTIME_DIR %q is not private to uid %d (owner %d, mode %04o)", base, p.UID, st.Uid, st.Mode&0o7777))
	}
	h, err := openHome(f, "berth", p.UID)
	if h == nil && err == nil && create {
		if err := makeDirectory(f, "berth"); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, p.unavailable(err)
		}
		h, err = openHome(f, "berth", p.UID)
	}
	switch {
	case err != nil:
		return nil, p.unavailable(err)
	case h != nil:
		return &Root{uid: p.UID, homes: []*home{h}}, nil
	case !create:
		return nil, p.none()
	}
	return nil, p.unavailable(fmt.Errorf("%q is not a directory of mode 0700 that belongs to uid %d", filepath.Join(base, "berth"), p.UID))
}
