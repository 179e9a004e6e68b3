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

// hiddenPrefix begins the names of directories that belong to whoever holds their lock. No container
// ID begins like this (sdk.ValidateID).
const hiddenPrefix = "."

// makeHidden makes a locked directory PREFIX and a random number in parent.
func makeHidden(parent *os.File, prefix string, uid int) (*Dir, error) {
	const tries = 16
	for range tries {
		name := prefix + random()
		err := makeDirectory(parent, name)
		// A sweep that comes between making and locking may remove it.
		if errors.Is(err, fs.ErrExist) || errors.Is(err, fs.ErrNotExist) && linked(parent) {
			continue
		}
		if err != nil {
			return nil, sdk.Mark(err, sdk.ErrUnavailable)
		}
		path := filepath.Join(parent.Name(), name)
		f, err := openDirectory(int(parent.Fd()), name, path)
		if errors.Is(err, fs.ErrNotExist) {
			continue
		}
		if err != nil {
			return nil, sdk.Mark(err, sdk.ErrUnavailable)
		}
		d := &Dir{uid: uid, parent: parent, path: path, name: name, f: f}
		locked, err := d.tryLock()
		if locked {
			return d, nil
		}
		if err != nil && !errors.Is(err, sdk.ErrNotFound) {
			_ = d.Remove()
			d.Close()
			return nil, err
		}
		d.Close()
	}
	return nil, sdk.Mark(fmt.Errorf("making a directory in %q: no new name in %d tries", parent.Name(), tries), sdk.ErrUnavailable)
}

// linked says whether a directory still exists in the file system, not just as a descriptor.
func linked(dir *os.File) bool {
	var st unix.Stat_t
	return unix.Fstat(int(dir.Fd()), &st) == nil && st.Nlink > 0
}
