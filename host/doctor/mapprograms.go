package doctor

import (
	"encoding/binary"
	"fmt"
	"os"
	"syscall"

	"golang.org/x/sys/unix"
)

// idMappingPrograms looks at the two programs that may map subordinate ids.
func idMappingPrograms() check {
	const oneID = "without them an ordinary user's container has one user and one group: images whose programs change their user fail"
	missing := fault{
		when: "newuidmap or newgidmap is not installed", status: StatusWarning,
		why: oneID, mend: "INSTALL PACKAGE",
	}
	owner := fault{
		when: "one of them does not belong to root", status: StatusWarning,
		why: oneID, mend: "chown root FILE",
	}
	powerless := fault{
		when: "one of them is neither setuid nor has the file capability that it needs", status: StatusWarning,
		why: oneID, mend: "chmod 4755 FILE",
	}
	nosuid := fault{
		when: "one of them lies on a file system that is mounted nosuid", status: StatusWarning,
		why: oneID, mend: "mount -o remount,suid MOUNT",
	}
	return check{
		name: "id-mapping-programs", about: "newuidmap and newgidmap, by which ordinary users map their subordinate ids into a container.",
		faults: []fault{missing, owner, powerless, nosuid},
		look: func(e *examination) {
			good := true
			for _, p := range []struct {
				name       string
				capability uint // as in capabilities(7)
			}{{"newuidmap", unix.CAP_SETUID}, {"newgidmap", unix.CAP_SETGID}} {
				path, info := e.program(p.name)
				f := fault{}
				switch {
				case info == nil:
					e.found(missing, p.name+" is not installed", e.packageFill("uidmap")...)
					good = false
					continue
				case capable(path, p.capability):
				case info.Mode()&os.ModeSetuid == 0:
					f = powerless
				case !e.ofRoot(info):
					f = owner
				}
				if f.when == "" && mountedWith(path, unix.ST_NOSUID) {
					f = nosuid
				}
				if f.when != "" {
					e.found(f, fmt.Sprintf("%s (mode %04o, owner %d) cannot map ids: %s", path,
						info.Sys().(*syscall.Stat_t).Mode&0o7777, info.Sys().(*syscall.Stat_t).Uid, f.when),
						"FILE", quote(path), "MOUNT", quote(e.mountPoint(path)))
					good = false
				}
			}
			if good {
				e.ok("newuidmap and newgidmap are installed and may map ids")
			}
		},
	}
}

// ofRoot says whether a file belongs to root as this process sees it.
func (n *Node) ofRoot(info os.FileInfo) bool {
	owner := int(info.Sys().(*syscall.Stat_t).Uid)
	return owner == 0 || owner == n.Trust.Root
}

// program finds a program of the system where drivers and runtimes look for it; info is nil where
// there is none.
func (n *Node) program(name string) (path string, info os.FileInfo) {
	for _, dir := range [...]string{"usr/local/sbin", "usr/local/bin", "usr/sbin", "usr/bin", "sbin", "bin"} {
		path := n.path(dir, name)
		if info, err := os.Stat(path); err == nil && info.Mode().IsRegular() && info.Mode()&0o111 != 0 {
			return path, info
		}
	}
	return "", nil
}

// capable says whether the file at path gives whoever executes it a capability. The attribute begins
// with a word of flags and the low word of the permitted set, in little endian (capabilities(7),
// "File capability extended attribute versioning").
func capable(path string, capability uint) bool {
	var data [64]byte
	n, err := unix.Getxattr(path, "security.capability", data[:])
	return err == nil && n >= 8 && binary.LittleEndian.Uint32(data[4:])&(1<<capability) != 0
}
