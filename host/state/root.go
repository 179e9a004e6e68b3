package state

import (
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// Root holds the containers of one uid. It may be used by several goroutines.
type Root struct {
	uid   int
	homes []*home // at least one; see Place.below
}

// Path returns the directory in which Create makes containers.
func (r *Root) Path() string { return r.homes[0].path }

// Close ends the use of r and of every Dir that came from it.
func (r *Root) Close() { closeAll(r.homes) }

// IDs returns the IDs of all containers, sorted. One may be gone by the time it is looked at.
func (r *Root) IDs() ([]string, error) {
	var ids []string
	for _, h := range r.homes {
		names, err := listNames(h.f)
		if err != nil {
			return nil, sdk.Mark(fmt.Errorf("listing containers in %q: %w", h.path, err), sdk.ErrUnavailable)
		}
		for _, name := range names {
			if sdk.ValidateID(name) == nil {
				ids = append(ids, name)
			}
		}
	}
	slices.Sort(ids)
	return slices.Compact(ids), nil
}

// Find opens the directory of a container, without its lock. The caller closes it.
//
// sdk.ErrInvalid: no container can have this ID. sdk.ErrNotFound: none has it.
func (r *Root) Find(id string) (*Dir, error) {
	if err := sdk.ValidateID(id); err != nil {
		return nil, err
	}
	for _, h := range r.homes {
		d, err := r.open(h, id)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return d, err
		}
	}
	return nil, gone(id)
}

// open opens the container or hidden directory name in h. fs.ErrNotExist where there is none.
func (r *Root) open(h *home, name string) (*Dir, error) {
	path := filepath.Join(h.path, name)
	f, err := openDirectory(int(h.f.Fd()), name, path)
	if err != nil {
		return nil, sdk.Mark(fmt.Errorf("opening container directory: %w", err), sdk.ErrUnavailable)
	}
	var st unix.Stat_t
	err = unix.Fstat(int(f.Fd()), &st)
	if err == nil && int(st.Uid) != r.uid {
		err = fmt.Errorf("%q does not belong to uid %d", path, r.uid)
	}
	if err != nil {
		f.Close()
		return nil, sdk.Mark(fmt.Errorf("opening container directory: %w", err), sdk.ErrUnavailable)
	}
	return &Dir{uid: r.uid, parent: h.f, path: path, name: name, f: f}, nil
}

func gone(id string) error {
	return sdk.Mark(fmt.Errorf("container %q does not exist", id), sdk.ErrNotFound)
}

func hidden(name string) bool { return strings.HasPrefix(name, hiddenPrefix) }
