package launcher

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/procfs"
)

// strays reaps what has ended, and ends and returns the children that still live.
func strays() []int {
	for {
		pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
		if err != nil {
			return nil // ECHILD: none at all
		}
		if pid == 0 {
			return endChildren()
		}
	}
}

func endChildren() []int {
	var pids []int
	for _, p := range procfs.List() {
		if p.Parent != os.Getpid() || p.Dead {
			continue
		}
		pids = append(pids, p.Pid)
		_ = unix.Kill(p.Pid, unix.SIGKILL) // a child, and not reaped: the pid is its own
		_, _ = unix.Wait4(p.Pid, nil, 0, nil)
	}
	return pids
}

// ignoreHangup makes what this process becomes ignore SIGHUP, which exec keeps.
func ignoreHangup() { signal.Ignore(syscall.SIGHUP) }
