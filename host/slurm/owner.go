package slurm

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// Owner is a user who has containers of a step on this node.
type Owner struct{ UID, GID int }

// maxNames bounds how many names are read in one user's directory.
const maxNames = 100_000

// Owners finds the users whose containers are of the task or step: Slurm 22.05 does not tell root whose
// job it cleans up after. It reads names only, in directories that it opens without following links,
// and believes the owner that the kernel names; root itself is never one.
func (t Task) Owners(system string) ([]Owner, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	entries, err := os.ReadDir(system)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, sdk.Mark(err, sdk.ErrUnavailable)
	}
	found := map[Owner]bool{}
	for _, entry := range entries {
		if strings.HasPrefix(entry.Name(), ".") {
			continue
		}
		if owner, ours := t.ownerOf(filepath.Join(system, entry.Name())); ours {
			found[owner] = true
		}
	}
	var owners []Owner
	for owner := range found {
		owners = append(owners, owner)
	}
	return owners, nil
}

func (t Task) ownerOf(path string) (Owner, bool) {
	dir, err := os.OpenFile(path, os.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return Owner{}, false
	}
	defer dir.Close()
	info, err := dir.Stat()
	if err != nil {
		return Owner{}, false
	}
	st := info.Sys().(*syscall.Stat_t)
	owner := Owner{UID: int(st.Uid), GID: int(st.Gid)}
	if owner.UID == 0 {
		return Owner{}, false
	}
	names, _ := dir.Readdirnames(maxNames)
	for _, name := range names {
		if t.owns(name) {
			return owner, true
		}
	}
	return Owner{}, false
}

// OwnerOf is the user uid with the group of his directory, for the releases that tell whose job it is.
// There being no directory is sdk.ErrNotFound: then there is nothing of his to act on.
func OwnerOf(system string, uid int) (Owner, error) {
	entries, err := os.ReadDir(system)
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return Owner{}, sdk.Mark(err, sdk.ErrUnavailable)
	}
	for _, entry := range entries {
		info, err := entry.Info() // of the name itself, never of what a link leads to
		if err != nil || !info.IsDir() {
			continue
		}
		st := info.Sys().(*syscall.Stat_t)
		if int(st.Uid) == uid {
			return Owner{UID: uid, GID: int(st.Gid)}, nil
		}
	}
	return Owner{}, sdk.ErrNotFound
}
