package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/berth-hpc/berth/sdk"
)

// DefaultSystem is the directory below which every user of a node has one for containers.
const DefaultSystem = "/run/berth"

// Place says where a user's container directories may be.
type Place struct {
	// System is the node's directory for all users, DefaultSystem. Where it exists it is used.
	System string

	// UserRuntimeDir is $XDG_RUNTIME_DIR, used where System does not exist; "" for never. It must
	// stay empty where another process has to find the containers without this variable: for
	// Slurm, whose root callbacks do not have it, and for berth-oci, whose callers drop it.
	UserRuntimeDir string

	// Own is a directory that the caller names for containers of its own (--root of an OCI runtime); ""
	// for none. It is made where it is missing, and then neither of the others is used.
	Own string

	// UID is whose containers they are: the effective uid of this process.
	UID int
}

// Open finds the container directories of a uid, and makes the directory that holds them where
// there is none. As root it also makes System.
//
// sdk.ErrInvalid: the process is not of that uid. sdk.ErrUnavailable: there is no place for
// containers on this node, or it cannot be trusted or written; the advice says what mends it.
func Open(p Place) (*Root, error) { return p.open(true) }

// Lookup finds the container directories of a uid and makes nothing. Errors are those of Open, and
// sdk.ErrNotFound where the uid has none.
func Lookup(p Place) (*Root, error) { return p.open(false) }

func (p Place) open(create bool) (*Root, error) {
	if euid := os.Geteuid(); euid != p.UID {
		return nil, sdk.Mark(fmt.Errorf("containers of uid %d asked for by uid %d: become that user first", p.UID, euid), sdk.ErrInvalid)
	}
	if p.Own != "" {
		return p.belowOwn(create)
	}
	system, err := p.openSystem(create)
	if err == nil {
		defer system.Close()
		return p.below(system, create)
	}
	if !errors.Is(err, fs.ErrNotExist) {
		return nil, p.cannotUse(fmt.Errorf("opening the node's container directory: %w", err))
	}
	if p.UserRuntimeDir != "" {
		return p.belowRuntimeDir(create)
	}
	if !create {
		return nil, p.none()
	}
	return nil, p.unavailable(fmt.Errorf("no place for container directories: %q does not exist", p.System))
}

func (p Place) none() error {
	return sdk.Mark(fmt.Errorf("uid %d has no containers on this node", p.UID), sdk.ErrNotFound)
}

func (p Place) unavailable(err error) error {
	return sdk.WithAdvice(sdk.Mark(err, sdk.ErrUnavailable), "run as root: install -d -m 1777 "+p.System)
}
