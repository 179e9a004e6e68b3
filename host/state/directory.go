package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strconv"

	"golang.org/x/sys/unix"
)

// openDirectory opens the directory name of parent for reading, following no symbolic link in name's
// last component and waiting for nothing. The file is named path.
func openDirectory(parent int, name, path string) (*os.File, error) {
	fd, err := openat(parent, name, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err == unix.ENOTDIR || err == unix.ELOOP {
		return nil, fmt.Errorf("%q is a symbolic link or no directory: %w", path, err)
	}
	if err != nil {
		return nil, fmt.Errorf("opening %q: %w", path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// makeDirectory makes the directory name in parent, mode 0700 whatever the umask. fs.ErrExist where
// the name is taken.
func makeDirectory(parent *os.File, name string) error {
	path := filepath.Join(parent.Name(), name)
	if err := unix.Mkdirat(int(parent.Fd()), name, 0o700); err != nil {
		return fmt.Errorf("making %q: %w", path, err)
	}
	if err := makePrivate(parent, name); err != nil {
		return fmt.Errorf("making %q: %w", path, err)
	}
	return nil
}

// makePrivate gives the directory name in parent mode 0700. It goes through a descriptor, so that it
// is never what a link leads to, and one that needs no permission on the directory.
func makePrivate(parent *os.File, name string) error {
	fd, err := openat(int(parent.Fd()), name, unix.O_PATH|unix.O_DIRECTORY|unix.O_NOFOLLOW, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Chmod("/proc/self/fd/"+strconv.Itoa(fd), 0o700)
}

// listNames returns the names in a directory, in no order.
func listNames(dir *os.File) ([]string, error) {
	// A descriptor of its own: dir's has one place in the list for all who use it.
	f, err := openDirectory(int(dir.Fd()), ".", dir.Name())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return f.Readdirnames(-1)
}

// someNames lists at most so many of what is in a directory.
func someNames(dir *os.File, most int) ([]string, error) {
	f, err := openDirectory(int(dir.Fd()), ".", dir.Name())
	if err != nil {
		return nil, err
	}
	defer f.Close()
	names, err := f.Readdirnames(most)
	if errors.Is(err, io.EOF) {
		err = nil
	}
	return names, err
}

// openat repeats what a signal cut short: Go's runtime sends them to its own threads.
func openat(parent int, name string, flags int, mode uint32) (int, error) {
	for {
		fd, err := unix.Openat(parent, name, flags|unix.O_CLOEXEC, mode)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

// sameFile says whether name in parent is still the file that is open as f.
func sameFile(parent *os.File, name string, f *os.File) (bool, error) {
	var named, open unix.Stat_t
	err := unix.Fstatat(int(parent.Fd()), name, &named, unix.AT_SYMLINK_NOFOLLOW)
	if err == unix.ENOENT {
		return false, nil
	}
	if err == nil {
		err = unix.Fstat(int(f.Fd()), &open)
	}
	if err != nil {
		return false, fmt.Errorf("looking at %q: %w", f.Name(), err)
	}
	return named.Dev == open.Dev && named.Ino == open.Ino, nil
}
