package doctor

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// kernelCall is a system call that berth makes.
type kernelCall struct {
	name   string
	since  string // version of Linux
	needed bool   // there is no other way
	try    func() error
}

func calls() []kernelCall {
	return []kernelCall{
		{"close_range with CLOSE_RANGE_CLOEXEC", "5.11", true, func() error {
			// No descriptor has such a number.
			return unix.CloseRange(1<<31-1, 1<<31-1, unix.CLOSE_RANGE_CLOEXEC)
		}},
		{"pidfd_open", "5.3", true, func() error {
			fd, err := unix.PidfdOpen(os.Getpid(), 0)
			if err == nil {
				unix.Close(fd)
			}
			return err
		}},
		{"openat2", "5.6", false, func() error {
			fd, err := unix.Openat2(unix.AT_FDCWD, "/", &unix.OpenHow{Flags: unix.O_PATH | unix.O_CLOEXEC, Resolve: unix.RESOLVE_NO_SYMLINKS})
			if err == nil {
				unix.Close(fd)
			}
			return err
		}},
	}
}

func kernelCalls() check {
	old := fault{
		when: "the kernel lacks one that berth cannot do without", status: StatusBroken,
		why:  "with close_range berth keeps its descriptors out of containers, with pidfd_open it signals the right process: Linux 5.11 has both",
		mend: "UPGRADE PACKAGE",
	}
	filtered := fault{
		when: "a seccomp filter refuses one that berth cannot do without", status: StatusBroken,
		why:  "berth itself runs in a sandbox here, such as a container: its calls fail, and a runtime's most likely, too",
		mend: "grep Seccomp /proc/self/status",
	}
	lacking := fault{
		when: "one that berth can replace is missing", status: StatusNote,
		why:  "with openat2 berth does not cross mounts when it removes a container's directory; without it, it compares devices, and bind mounts go unseen",
		mend: "UPGRADE PACKAGE",
	}
	return check{
		name: "kernel-calls", about: "The newer system calls that berth makes, by making them.",
		faults: []fault{old, filtered, lacking},
		look: func(e *examination) {
			good := true
			for _, call := range calls() {
				err := call.try()
				if err == nil {
					continue
				}
				good = false
				what := fmt.Sprintf("%s (Linux %s) does not work: %v", call.name, call.since, err)
				switch {
				case !call.needed:
					e.found(lacking, what, e.packageFill("kernel")...)
				case errors.Is(err, unix.ENOSYS), errors.Is(err, unix.EINVAL):
					e.found(old, what, e.packageFill("kernel")...)
				default:
					e.found(filtered, what)
				}
			}
			if good {
				e.ok("close_range, pidfd_open and openat2 work")
			}
		},
	}
}
