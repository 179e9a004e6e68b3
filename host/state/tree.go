package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// maxDepth bounds the directories below a container's, each of which costs an open descriptor.
const maxDepth = 200

// allowance bounds a removal by how many names it tries to remove. nil: all.
type allowance struct{ left int }

// errSpent says that an allowance is used up.
var errSpent = errors.New("there is more to remove")

// names lists what a removal may try in dir, and one more where there is more.
func (a *allowance) names(dir *os.File) ([]string, error) {
	if a == nil {
		return listNames(dir)
	}
	return someNames(dir, max(a.left, 0)+2) // the name that is kept does not count
}

func (a *allowance) spend() error {
	if a == nil {
		return nil
	}
	if a.left <= 0 {
		return errSpent
	}
	a.left--
	return nil
}

// removeContent removes everything in dir but the name keep, as far as it can, and returns the first
// error, or errSpent.
func removeContent(dir *os.File, keep string, depth int, a *allowance) error {
	names, first := a.names(dir)
	if errors.Is(first, fs.ErrNotExist) { // somebody else has just removed it
		first = nil
	}
	for _, name := range names {
		if name == keep {
			continue
		}
		if err := a.spend(); err != nil {
			return err
		}
		err := removeEntry(dir, name, depth, a)
		if errors.Is(err, errSpent) {
			return err
		}
		if err != nil && first == nil {
			first = err
		}
	}
	return first
}

// removeEntry removes name, with what is below it where it is a directory. One that is gone is no
// error: others may be removing the same tree.
func removeEntry(dir *os.File, name string, depth int, a *allowance) error {
	at, path := int(dir.Fd()), filepath.Join(dir.Name(), name)
	err := unix.Unlinkat(at, name, 0)
	if err == nil || err == unix.ENOENT {
		return nil
	}
	if err != unix.EISDIR && err != unix.EPERM { // POSIX knows EPERM for a directory
		return fmt.Errorf("removing %q: %w", path, err)
	}
	if depth == 0 {
		return fmt.Errorf("removing %q: more than %d directories deep", path, maxDepth)
	}
	sub, err := openBelow(dir, name, path)
	if errors.Is(err, unix.ENOENT) {
		return nil
	}
	if err != nil {
		return err
	}
	err = removeContent(sub, "", depth-1, a)
	sub.Close()
	if err != nil {
		return err
	}
	if err := unix.Unlinkat(at, name, unix.AT_REMOVEDIR); err != nil && err != unix.ENOENT {
		return fmt.Errorf("removing %q: %w", path, err)
	}
	return nil
}

// openBelow opens a directory that is in the same mount as dir, and makes it ours to empty.
func openBelow(dir *os.File, name, path string) (*os.File, error) {
	fd, err := openSameMount(dir, name)
	if err == unix.EACCES {
		_ = makePrivate(dir, name) // closed even to its owner; an error shows in the next line
		fd, err = openSameMount(dir, name)
	}
	if err == unix.EXDEV {
		return nil, fmt.Errorf("removing %q: something is mounted on it: %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("removing %q: %w", path, err)
	}
	var st unix.Stat_t
	if unix.Fstat(fd, &st) == nil && st.Mode&0o700 != 0o700 {
		_ = unix.Fchmod(fd, 0o700) // an error shows when something in it cannot be removed
	}
	return os.NewFile(uintptr(fd), path), nil
}

// openSameMount opens a directory; EXDEV where another mount covers it.
func openSameMount(dir *os.File, name string) (int, error) {
	const flags = unix.O_RDONLY | unix.O_DIRECTORY | unix.O_NOFOLLOW | unix.O_CLOEXEC
	for {
		fd, err := unix.Openat2(int(dir.Fd()), name, &unix.OpenHow{
			Flags:   flags,
			Resolve: unix.RESOLVE_NO_XDEV | unix.RESOLVE_NO_SYMLINKS | unix.RESOLVE_BENEATH,
		})
		switch err {
		case unix.EINTR, unix.EAGAIN: // a rename at the same time
			continue
		case unix.ENOSYS, unix.EPERM: // before Linux 5.6, or a seccomp filter from then
			return openSameDevice(dir, name)
		}
		return fd, err
	}
}

// openSameDevice does what can be done without openat2: it sees other file systems, not bind mounts
// of the same one.
func openSameDevice(dir *os.File, name string) (int, error) {
	fd, err := openat(int(dir.Fd()), name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return -1, err
	}
	var above, below unix.Stat_t
	if err = unix.Fstat(int(dir.Fd()), &above); err == nil {
		err = unix.Fstat(fd, &below)
	}
	if err == nil && above.Dev != below.Dev {
		err = unix.EXDEV
	}
	if err != nil {
		unix.Close(fd)
		return -1, err
	}
	return fd, nil
}
