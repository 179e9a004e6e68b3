package state

import (
	"errors"
	"fmt"
	"io/fs"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// home is a directory that holds container directories of one uid, owned by it and 0700.
type home struct {
	path string
	f    *os.File
}

// below opens the homes of the uid in System.
//
// A home is any entry UID or UID.* that the uid owns. There is one, named UID, unless another user
// took that name first: then it is UID.RANDOM, and tasks that start at the same moment may make
// several. All of them count: a container is looked for in each and made in the first.
func (p Place) below(system *os.File, create bool) (*Root, error) {
	name := strconv.Itoa(known(p.UID))
	for _, next := range []string{name, name + "." + random(), ""} {
		homes, err := p.search(system, name)
		if err != nil {
			return nil, sdk.Mark(fmt.Errorf("looking for the directory of uid %d: %w", p.UID, err), sdk.ErrUnavailable)
		}
		if len(homes) > 0 {
			return &Root{uid: p.UID, homes: homes}, nil
		}
		if !create {
			return nil, p.none()
		}
		if next == "" {
			break
		}
		if err := makeDirectory(system, next); err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, p.cannotUse(err)
		}
	}
	return nil, sdk.Mark(fmt.Errorf("%q keeps no directory of mode 0700 that uid %d makes in it", p.System, p.UID), sdk.ErrUnavailable)
}

// search returns the homes in System in the order of their names, UID before UID.*.
func (p Place) search(system *os.File, uid string) ([]*home, error) {
	names, err := listNames(system)
	if err != nil {
		return nil, err
	}
	names = slices.DeleteFunc(names, func(name string) bool {
		return name != uid && !strings.HasPrefix(name, uid+".")
	})
	slices.Sort(names)
	var homes []*home
	for _, name := range names {
		h, err := openHome(system, name, p.UID)
		if err != nil {
			closeAll(homes)
			return nil, err
		}
		if h != nil {
			homes = append(homes, h)
		}
	}
	return homes, nil
}

// openHome opens the directory name in parent; nil, without an error, where there is none that the
// uid owns and that is closed to everybody else.
func openHome(parent *os.File, name string, uid int) (*home, error) {
	path := filepath.Join(parent.Name(), name)
	f, err := openDirectory(int(parent.Fd()), name, path)
	switch {
	case errors.Is(err, fs.ErrNotExist), errors.Is(err, fs.ErrPermission), errors.Is(err, unix.ENOTDIR), errors.Is(err, unix.ELOOP):
		return nil, nil
	case err != nil:
		return nil, err
	}
	var st unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &st); err != nil {
		f.Close()
		return nil, err
	}
	if int(st.Uid) != uid || st.Mode&0o777 != 0o700 {
		f.Close()
		return nil, nil
	}
	return &home{path: path, f: f}, nil
}

func closeAll(homes []*home) {
	for _, h := range homes {
		h.f.Close()
	}
}

// random is hard to guess, so that nobody takes the name first; that it is new is for mkdir to say.
func random() string { return fmt.Sprintf("%08x", rand.Uint32()) }
