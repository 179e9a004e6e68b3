package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// The names in a container directory that this package knows.
const (
	recordFile = "record"
	runtimeDir = "rt"
)

// Dir is the directory of one container, open.
type Dir struct {
	uid    int
	parent *os.File // the home, shared
	path   string
	name   string
	f      *os.File // carries the lock
}

// ID returns the container's ID.
func (d *Dir) ID() string { return d.name }

// Path returns the absolute path of the directory.
func (d *Dir) Path() string { return d.path }

// Close lets go of the directory and, where d has it, of its lock. The directory stays.
func (d *Dir) Close() { d.f.Close() }

// RuntimeRoot makes the directory for the runtime's own state (--root), 0700 and below Path, where it
// is missing and returns its path.
func (d *Dir) RuntimeRoot() (string, error) {
	err := makeDirectory(d.f, runtimeDir)
	if errors.Is(err, fs.ErrExist) {
		var f *os.File
		if f, err = d.openRuntimeRoot(); err == nil {
			f.Close()
		}
	}
	if err != nil {
		return "", sdk.Mark(err, sdk.ErrUnavailable)
	}
	return d.runtimeRoot(), nil
}

func (d *Dir) runtimeRoot() string { return filepath.Join(d.path, runtimeDir) }

func (d *Dir) openRuntimeRoot() (*os.File, error) {
	return openDirectory(int(d.f.Fd()), runtimeDir, d.runtimeRoot())
}

// WriteFile puts data into the file name of the directory, 0600. Readers see the old content or the
// new, never a part; after an error the old. It does not wait for the disk: the directory is on a
// tmpfs and what it describes does not outlive the node's boot.
//
// sdk.ErrInvalid: name is not the name of a file in this directory. sdk.ErrUnavailable: it cannot be
// written.
func (d *Dir) WriteFile(name string, data []byte) error {
	path := filepath.Join(d.path, name)
	if name == "" || hidden(name) || strings.Contains(name, "/") {
		return sdk.Mark(fmt.Errorf("writing %q: not the name of a file in a container directory", path), sdk.ErrInvalid)
	}
	temporary := hiddenPrefix + name + "." + random()
	if err := d.writeNew(temporary, data); err != nil {
		return sdk.Mark(fmt.Errorf("writing %q: %w", path, err), sdk.ErrUnavailable)
	}
	if err := unix.Renameat(int(d.f.Fd()), temporary, int(d.f.Fd()), name); err != nil {
		unix.Unlinkat(int(d.f.Fd()), temporary, 0)
		return sdk.Mark(fmt.Errorf("writing %q: %w", path, err), sdk.ErrUnavailable)
	}
	return nil
}

// writeNew makes the file name, which does not exist, or leaves nothing.
func (d *Dir) writeNew(name string, data []byte) error {
	fd, err := openat(int(d.f.Fd()), name, unix.O_WRONLY|unix.O_CREAT|unix.O_EXCL|unix.O_NOFOLLOW, 0o600)
	if err != nil {
		return err
	}
	f := os.NewFile(uintptr(fd), name)
	_, err = f.Write(data)
	if err == nil {
		err = f.Chmod(0o600) // whatever the umask
	}
	if closed := f.Close(); err == nil {
		err = closed // where a quota or a network file system says no
	}
	if err != nil {
		unix.Unlinkat(int(d.f.Fd()), name, 0)
	}
	return err
}
