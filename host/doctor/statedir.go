package doctor

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/sdk"
)

// littleRoom is what a file system of container directories should have left, in bytes: a few
// hundred effective bundles.
const littleRoom = 16 << 20

// stateFaults is all that can be wrong with the node's container directory.
type stateFaults struct {
	missing, replaced, notDirectory, owner, open, closed, closedToMe, readOnly, full, low, runtimeDir fault
}

func newStateFaults() stateFaults {
	const makeIt, openIt = "install -d -m 1777 DIR", "chmod 1777 DIR"
	const noPlace = "berth keeps a small directory for every container there: without a place for it nothing is started"
	return stateFaults{
		missing: fault{"it does not exist, and the caller has nothing in its place", StatusBroken, noPlace, makeIt},
		replaced: fault{"it does not exist, and berth uses the caller's XDG_RUNTIME_DIR or, as root, will make it", StatusWarning,
			"Slurm's calls as root and berth-oci come without XDG_RUNTIME_DIR and do not find containers there, and other users may have no such directory", makeIt},
		notDirectory: fault{"it is no directory, or a symbolic link to one", StatusBroken,
			"berth follows no link there, because whoever made it would decide where containers are kept", "rm DIR"},
		owner: fault{"it does not belong to root", StatusBroken,
			"its owner could remove or exchange the containers of other users, so berth refuses it", "chown root DIR"},
		open: fault{"others can write to it and it is not sticky", StatusBroken,
			"every user could remove or exchange the containers of others, so berth refuses it", openIt},
		closed: fault{"not everybody can make a directory in it", StatusWarning,
			"users for whom nobody made a directory in it cannot start a container", openIt},
		closedToMe: fault{"the caller cannot make a directory in it and has none", StatusBroken, noPlace, openIt},
		readOnly:   fault{"its file system is mounted read-only", StatusBroken, noPlace, "mount -o remount,rw MOUNT"},
		full: fault{"its file system is full", StatusBroken,
			`every start of a container fails with "no space left on device"; berth gc removes what dead containers left`, "berth gc"},
		low: fault{"its file system is nearly full", StatusWarning,
			`the next containers will fail with "no space left on device"; berth gc removes what dead containers left`, "berth gc"},
		runtimeDir: fault{"XDG_RUNTIME_DIR, which berth would use in its place, cannot be used", StatusBroken,
			"inside jobs there is often no such directory: the node's own container directory does not depend on it", makeIt},
	}
}

func (f stateFaults) all() []fault {
	return []fault{f.missing, f.runtimeDir, f.replaced, f.notDirectory, f.owner, f.open, f.closed, f.closedToMe, f.readOnly, f.full, f.low}
}

func stateDirectory() check {
	faults := newStateFaults()
	return check{
		name: "state-directory", about: "The node's container directory, /run/berth: sticky, writable by all, and with room in it.",
		faults: faults.all(),
		look: func(e *examination) {
			dir := e.State.System
			fill := []string{"DIR", quote(dir), "MOUNT", quote(e.mountPoint(dir))}
			info, err := os.Lstat(dir)
			if errors.Is(err, os.ErrNotExist) {
				e.noStateDirectory(faults, fill)
				return
			}
			if err != nil {
				e.found(faults.missing, err.Error(), fill...)
				return
			}
			if f, why := e.judgeDirectory(faults, info); why != "" {
				e.found(f, dir+" "+why, fill...)
				return
			}
			if f, why := judgeRoom(faults, dir); why != "" {
				e.found(f, dir+" "+why, fill...)
				return
			}
			e.ok("%s is there, sticky and writable by all", dir)
		},
	}
}

func (e *examination) noStateDirectory(faults stateFaults, fill []string) {
	dir, instead := e.State.System, e.State.UserRuntimeDir
	switch err := e.lookup(); {
	case instead != "" && (err == nil || errors.Is(err, sdk.ErrNotFound)):
		e.found(faults.replaced, fmt.Sprintf("%s does not exist: berth uses XDG_RUNTIME_DIR, %s", dir, instead), fill...)
	case e.State.UID == 0:
		e.found(faults.replaced, fmt.Sprintf("%s does not exist: berth makes it when root runs a container", dir), fill...)
	case instead != "":
		e.found(faults.runtimeDir, fmt.Sprintf("%s does not exist, and XDG_RUNTIME_DIR cannot take its place: %v", dir, err), fill...)
	default:
		e.found(faults.missing, fmt.Sprintf("%s does not exist, and XDG_RUNTIME_DIR is not set", dir), fill...)
	}
}

// lookup says what a call of berth by this caller would find; it makes nothing.
func (e *examination) lookup() error {
	root, err := state.Lookup(e.State)
	if err == nil {
		root.Close()
	}
	return err
}

// judgeDirectory says what is wrong with the directory itself; why is empty where nothing is.
func (e *examination) judgeDirectory(faults stateFaults, info os.FileInfo) (f fault, why string) {
	st := info.Sys().(*syscall.Stat_t)
	mode := fmt.Sprintf("(owner %d, mode %04o)", st.Uid, st.Mode&0o7777)
	switch {
	case !info.IsDir():
		return faults.notDirectory, fmt.Sprintf("is no directory: %v", info.Mode().Type())
	case !e.ofRoot(info):
		return faults.owner, "does not belong to root " + mode
	case st.Mode&0o022 != 0 && st.Mode&unix.S_ISVTX == 0:
		return faults.open, "is writable by others without being sticky " + mode
	case st.Mode&0o003 == 0o003:
		return fault{}, ""
	case e.State.UID != 0 && e.lookup() != nil:
		return faults.closedToMe, fmt.Sprintf("is not writable by all %s, and %s has no directory in it", mode, e.User)
	default:
		return faults.closed, "is not writable by all " + mode
	}
}

// judgeRoom says what is wrong with the file system of a directory.
func judgeRoom(faults stateFaults, dir string) (f fault, why string) {
	var st unix.Statfs_t
	if err := unix.Statfs(dir, &st); err != nil {
		return faults.missing, "cannot be examined: " + err.Error()
	}
	room := st.Bavail * uint64(st.Bsize)
	switch {
	case st.Flags&unix.ST_RDONLY != 0:
		return faults.readOnly, "is on a file system that is mounted read-only"
	case st.Blocks > 0 && st.Bavail == 0:
		return faults.full, "is on a file system without room"
	case st.Files > 0 && st.Ffree == 0:
		return faults.full, "is on a file system without inodes"
	case st.Blocks > 0 && room < littleRoom:
		return faults.low, fmt.Sprintf("is on a file system with %d KiB left", room>>10)
	}
	return fault{}, ""
}
