package trust

import (
	"fmt"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// Rules says whose files are trusted. The zero value trusts root's alone.
type Rules struct {
	// Caller is the effective uid of the process that will believe the file.
	Caller int

	// Root is the uid as which the node's root is seen, from SeenRoot. Where it is not 0, a
	// file of that uid is trusted as root's if this process cannot write it: the kernel shows
	// every uid outside the user namespace as this one.
	Root int

	// BuildOwner is the owner of the build tree that the program runs from, -1 for none. It is
	// trusted besides root only by a caller who is that owner and not root.
	BuildOwner int
}

// Writing by the group or by others. Entries of a POSIX ACL need no look of their own: they grant
// at most what the ACL's mask does, and the mask is what stat shows as the group's bits (acl(5),
// "Correspondence between ACL entries and file permission bits").
const writableByOthers = unix.S_IWGRP | unix.S_IWOTH

// check refuses an object that somebody untrusted owns or can write. fd may be an O_PATH descriptor.
func (r Rules) check(path string, fd int, st *unix.Stat_t) error {
	if r.ownNamespace(st) {
		return nil
	}
	owner := int(st.Uid)
	if !r.trusts(owner) {
		return refuse(path, fmt.Sprintf("it belongs to uid %d, not to root", owner), "chown root")
	}
	// The sticky bit does not help: it keeps others from removing what is there, not from
	// putting there what is not.
	if st.Mode&writableByOthers != 0 {
		return refuse(path, fmt.Sprintf("others than its owner can write it (mode %04o)", st.Mode&0o7777), "chmod go-w")
	}
	if owner != 0 && owner == r.Root && writable(fd) {
		return refuse(path, fmt.Sprintf("it belongs to an unknown uid (%d) and this process can write it", owner), "chown root")
	}
	return nil
}

// ownNamespace says whether st is a sticky directory that the caller has made for a user namespace of his
// own: rootlesskit --copy-up=/etc, as rootless docker calls it, puts a tmpfs of mode 1777 there. Everybody
// else in the namespace is a subordinate id of his, and what they put there is not root's.
func (r Rules) ownNamespace(st *unix.Stat_t) bool {
	return r.Root != 0 && int(st.Uid) == r.Caller && r.Caller != r.Root && st.Mode&unix.S_IFMT == unix.S_IFDIR && st.Mode&unix.S_ISVTX != 0
}

func (r Rules) trusts(owner int) bool {
	switch owner {
	case 0:
		return true
	case r.Root:
		return r.Caller != r.Root // an unmapped caller sees its own files like this, too
	case r.BuildOwner:
		return r.Caller != 0 && r.Caller == r.BuildOwner
	}
	return false
}

func writable(fd int) bool {
	return unix.Access(fdPath(fd), unix.W_OK) == nil
}

func refuse(path, why, command string) error {
	err := fmt.Errorf("%q is not trusted: %s", path, why)
	return sdk.WithAdvice(sdk.Mark(err, sdk.ErrUnavailable), fmt.Sprintf("run: %s %q", command, path))
}
