package doctor

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"golang.org/x/sys/unix"
)

// berthInit looks at the program that berth puts in front of every container's.
func berthInit() check {
	const why = "berth puts it in front of every container's program; without it no container starts"
	missing := fault{when: "it is not installed", status: StatusBroken, why: why, mend: "make install"}
	unbuilt := fault{when: "it is not built, in a build tree", status: StatusBroken, why: why, mend: "make build"}
	mode := fault{when: "it cannot be executed", status: StatusBroken, why: why, mend: "chmod 755 FILE"}
	noexec := fault{
		when: "its file system is mounted noexec", status: StatusBroken,
		why:  "the container sees it through a bind mount, which keeps the flag: every program fails with \"permission denied\"",
		mend: "mount -o remount,exec MOUNT",
	}
	return check{
		name: "berth-init", about: "The program berth-init: there, executable, and not on a file system that forbids it.",
		faults: []fault{missing, unbuilt, mode, noexec},
		look: func(e *examination) {
			path := e.Layout.Init
			fill := []string{"FILE", quote(path), "MOUNT", quote(e.mountPoint(path))}
			info, err := os.Stat(path)
			switch {
			case errors.Is(err, fs.ErrNotExist) && e.Layout.BuildTree:
				e.found(unbuilt, fmt.Sprintf("there is no %s", path), fill...)
			case errors.Is(err, fs.ErrNotExist):
				e.found(missing, fmt.Sprintf("there is no %s", path), fill...)
			case err != nil:
				e.found(mode, err.Error(), fill...)
			case !info.Mode().IsRegular() || info.Mode()&0o111 == 0:
				e.found(mode, fmt.Sprintf("%s is no program (mode %v)", path, info.Mode()), fill...)
			case mountedWith(path, unix.ST_NOEXEC):
				e.found(noexec, fmt.Sprintf("%s is on a file system mounted noexec", path), fill...)
			default:
				e.ok("%s can be executed", path)
			}
		},
	}
}

// driverDirectory looks at the directory that drivers are installed in.
func driverDirectory() check {
	const why = "a driver is what makes a runtime run a container: without one nothing is started"
	empty := fault{when: "no driver is installed", status: StatusBroken, why: why, mend: "make install"}
	unbuilt := fault{when: "no driver is built, in a build tree", status: StatusBroken, why: why, mend: "make build"}
	noexec := fault{
		when: "its file system is mounted noexec", status: StatusBroken,
		why:  "drivers are programs: none of those that lie there can be started",
		mend: "mount -o remount,exec MOUNT",
	}
	return check{
		name: "driver-directory", about: "The directory of the drivers: not empty, and not on a file system that forbids to execute them.",
		faults: []fault{empty, unbuilt, noexec},
		look: func(e *examination) {
			dir, names := e.Layout.Drivers, e.driverNames()
			switch {
			case len(names) == 0 && e.Layout.BuildTree:
				e.found(unbuilt, fmt.Sprintf("there is no driver in %s", dir))
			case len(names) == 0:
				e.found(empty, fmt.Sprintf("there is no driver in %s", dir))
			case mountedWith(dir, unix.ST_NOEXEC):
				e.found(noexec, fmt.Sprintf("%s is on a file system mounted noexec", dir), "MOUNT", quote(e.mountPoint(dir)))
			default:
				e.ok("%s has %s", dir, plural(len(names), "driver"))
			}
		},
	}
}
