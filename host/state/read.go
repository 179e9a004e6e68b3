package state

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// readSmall reads a regular file of at most limit bytes. sdk.ErrNotFound where there is none,
// *CorruptError where it is anything else.
func (d *Dir) readSmall(name string, limit int64) ([]byte, error) {
	path := filepath.Join(d.path, name)
	// O_NONBLOCK: whatever has this name, opening it does not wait.
	fd, err := openat(int(d.f.Fd()), name, unix.O_RDONLY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	switch {
	case err == unix.ENOENT:
		return nil, sdk.Mark(fmt.Errorf("reading %q: %w", path, err), sdk.ErrNotFound)
	case err == unix.ELOOP:
		return nil, &CorruptError{Path: path, Err: errors.New("it is a symbolic link")}
	case err != nil:
		return nil, sdk.Mark(fmt.Errorf("reading %q: %w", path, err), sdk.ErrUnavailable)
	}
	f := os.NewFile(uintptr(fd), path)
	defer f.Close()
	st, err := f.Stat()
	if err == nil && !st.Mode().IsRegular() {
		return nil, &CorruptError{Path: path, Err: errors.New("it is not a regular file")}
	}
	data, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, sdk.Mark(fmt.Errorf("reading %q: %w", path, err), sdk.ErrUnavailable)
	}
	if int64(len(data)) > limit {
		return nil, &CorruptError{Path: path, Err: fmt.Errorf("it has more than %d bytes", limit)}
	}
	return data, nil
}
