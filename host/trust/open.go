package trust

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// Open opens the regular file at path for reading, if it can be trusted. The path is absolute and
// clean and leads through no symbolic link. Open never blocks on a fifo and opens no device.
//
// fs.ErrNotExist: a component is missing. fs.ErrPermission: the caller may not look. sdk.ErrInvalid:
// the path is not absolute and clean. sdk.ErrUnavailable: something on the way is not to be trusted;
// the error names the component and its advice the command that mends it.
func (r Rules) Open(path string) (*os.File, error) {
	if !filepath.IsAbs(path) || filepath.Clean(path) != path || path == "/" {
		return nil, sdk.Mark(fmt.Errorf("path %q is not the absolute, clean path of a file", path), sdk.ErrInvalid)
	}
	parent, err := r.walk(filepath.Dir(path))
	if err != nil {
		return nil, err
	}
	defer unix.Close(parent)
	return r.openFile(parent, path)
}

// walk returns an O_PATH descriptor of a directory, each component of whose path was checked.
func (r Rules) walk(dir string) (int, error) {
	at, err := openat(unix.AT_FDCWD, "/", unix.O_PATH|unix.O_DIRECTORY)
	if err != nil {
		return -1, looking("/", err)
	}
	if err := r.inspect("/", at, unix.S_IFDIR); err != nil {
		unix.Close(at)
		return -1, err
	}
	path := ""
	for name := range strings.SplitSeq(strings.Trim(dir, "/"), "/") {
		if name == "" {
			break // dir is "/"
		}
		path += "/" + name
		next, err := openat(at, name, unix.O_PATH|unix.O_NOFOLLOW)
		unix.Close(at)
		if err != nil {
			return -1, looking(path, err)
		}
		at = next
		if err := r.inspect(path, at, unix.S_IFDIR); err != nil {
			unix.Close(at)
			return -1, err
		}
	}
	return at, nil
}

// openFile opens the last component for reading.
func (r Rules) openFile(parent int, path string) (*os.File, error) {
	name := filepath.Base(path)
	// Opening a device has effects and opening a fifo waits, so look before opening.
	seen, err := openat(parent, name, unix.O_PATH|unix.O_NOFOLLOW)
	if err != nil {
		return nil, looking(path, err)
	}
	err = r.inspect(path, seen, unix.S_IFREG)
	unix.Close(seen)
	if err != nil {
		return nil, err
	}
	fd, err := openat(parent, name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK)
	if err != nil {
		return nil, looking(path, err)
	}
	if err := r.inspect(path, fd, unix.S_IFREG); err != nil {
		unix.Close(fd)
		return nil, err
	}
	if err := unix.SetNonblock(fd, false); err != nil {
		unix.Close(fd)
		return nil, looking(path, err)
	}
	return os.NewFile(uintptr(fd), path), nil
}

// inspect checks that fd is of the kind wanted (an S_IF value) and to be trusted.
func (r Rules) inspect(path string, fd int, want uint32) error {
	var st unix.Stat_t
	if err := unix.Fstat(fd, &st); err != nil {
		return looking(path, err)
	}
	kind := st.Mode & unix.S_IFMT
	switch {
	case kind == unix.S_IFLNK:
		err := fmt.Errorf("%q is not trusted: it is a symbolic link", path)
		return sdk.WithAdvice(sdk.Mark(err, sdk.ErrUnavailable), "name the file that the link leads to: "+target(fd))
	case kind == want:
		return r.check(path, fd, &st)
	case want == unix.S_IFDIR:
		return sdk.Mark(fmt.Errorf("%q is not a directory", path), sdk.ErrUnavailable)
	}
	return sdk.Mark(fmt.Errorf("%q is not a regular file", path), sdk.ErrUnavailable)
}

// target quotes where the symbolic link that is open as fd points to.
func target(fd int) string {
	buf := make([]byte, unix.PathMax)
	n, err := unix.Readlinkat(fd, "", buf)
	if err != nil {
		return "its target is unreadable"
	}
	return fmt.Sprintf("%q", buf[:n])
}

func openat(dir int, name string, flags int) (int, error) {
	for {
		fd, err := unix.Openat(dir, name, flags|unix.O_CLOEXEC|unix.O_NOCTTY, 0)
		if err != unix.EINTR {
			return fd, err
		}
	}
}

func looking(path string, err error) error {
	return fmt.Errorf("opening %q: %w", path, err)
}
