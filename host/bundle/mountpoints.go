package bundle

import (
	"fmt"
	"path"

	"golang.org/x/sys/unix"
)

// scratch are the directories whose content in an image means nothing to a new container (fhs(7)).
var scratch = [...]string{"/tmp", "/var/tmp", "/run", "/var/run", "/var/spool"}

// mountPoints makes place for mounts such as Slurm's /tmp/slurm in an image that has none and in which
// the runtime cannot make any, since it has the rights of an ordinary user: a tmpfs on the directory of
// scratch that the mount is below. Elsewhere one would hide what the container needs.
func (a *adaptation) mountPoints() error {
	if !a.o.Rootless {
		return nil
	}
	for i := 0; i < len(a.mounts().Items()); i++ {
		d := destination(a.mounts().Items()[i])
		if a.mountedAbove(d, i) {
			continue
		}
		above, ok := a.unwritable(d)
		if !ok {
			continue
		}
		for _, dir := range scratch {
			if within(dir, above) {
				a.addFileSystem(whyScratch, newMount(dir, "tmpfs", "tmpfs", []string{"nosuid", "nodev", "mode=1777"}))
				break
			}
		}
	}
	return nil
}

// mountedAbove says whether one of the first n mounts holds the mount point d.
func (a *adaptation) mountedAbove(d string, n int) bool {
	for _, m := range a.mounts().Items()[:n] {
		if at := destination(m); at != "/" && at != d && within(at, d) {
			return true
		}
	}
	return false
}

// unwritable finds the deepest directory of the root file system on the way to d, and says whether
// nothing can be made in it although d is not there. What cannot be told, before Linux 5.6, is not so.
func (a *adaptation) unwritable(d string) (above string, ok bool) {
	root, err := unix.Open(a.root.Get("root", "path").Text(), unix.O_PATH|unix.O_DIRECTORY|unix.O_CLOEXEC, 0)
	if err != nil {
		return "", false
	}
	defer unix.Close(root)
	for at := d; ; at = path.Dir(at) {
		fd, err := unix.Openat2(root, at, &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_IN_ROOT})
		if err == unix.ENOENT && at != "/" {
			continue
		}
		if err != nil {
			return "", false
		}
		defer unix.Close(fd)
		return at, at != d && unix.Access(fmt.Sprintf("/proc/self/fd/%d", fd), unix.W_OK|unix.X_OK) != nil
	}
}
