package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/berth-hpc/berth/host/trust"
	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// openSystem opens System. fs.ErrNotExist where there is none.
func (p Place) openSystem(create bool) (*os.File, error) {
	if create && p.UID == 0 {
		// Root of a user namespace may not: it has its runtime directory.
		if err := p.makeSystem(); err != nil && p.UserRuntimeDir == "" {
			return nil, err
		}
	}
	f, err := openDirectory(unix.AT_FDCWD, p.System, p.System)
	if err != nil {
		return nil, err
	}
	if err := p.checkSystem(f); err != nil {
		f.Close()
		return nil, err
	}
	return f, nil
}

// makeSystem makes System where nothing has that name.
func (p Place) makeSystem() error {
	const mode = 0o777 | unix.S_ISVTX
	err := unix.Mkdir(p.System, mode)
	if err == unix.EEXIST {
		return nil
	}
	if err != nil {
		return fmt.Errorf("making %q: %w", p.System, err)
	}
	// Once more without the umask.
	if err := os.Chmod(p.System, 0o777|os.ModeSticky); err != nil {
		return fmt.Errorf("making %q: %w", p.System, err)
	}
	return nil
}

// checkSystem refuses a directory in which somebody else could rename or remove what is ours.
func (p Place) checkSystem(f *os.File) error {
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		return err
	}
	mend := fmt.Sprintf("run as root: chown root %[1]q && chmod 1777 %[1]q", p.System)
	if owner := int(st.Uid); owner != 0 && owner != p.UID && owner != trust.SeenRoot() {
		return sdk.WithAdvice(fmt.Errorf("%q belongs to uid %d, not to root", p.System, owner), mend)
	}
	if st.Mode&(unix.S_IWGRP|unix.S_IWOTH) != 0 && st.Mode&unix.S_ISVTX == 0 {
		return sdk.WithAdvice(fmt.Errorf("%q is writable by others without being sticky (mode %04o)", p.System, st.Mode&0o7777), mend)
	}
	return nil
}

// cannotUse adds to an error about System what mends it.
func (p Place) cannotUse(err error) error {
	err = sdk.Mark(err, sdk.ErrUnavailable)
	switch {
	case errors.Is(err, fs.ErrPermission):
		return sdk.WithAdvice(err, fmt.Sprintf("run as root: chmod 1777 %q", p.System))
	case errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return sdk.WithAdvice(err, fmt.Sprintf("run as root: rm %[1]q && install -d -m 1777 %[1]q", p.System))
	}
	return err
}
