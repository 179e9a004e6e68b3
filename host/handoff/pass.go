package handoff

import (
	"fmt"
	"os"
	"strconv"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// inherited lists the descriptors that exec left open for this program. The Go runtime has opened
// some of its own by now; those are closed on exec, which no inherited one can be.
func inherited() (map[int]bool, error) {
	dir, err := os.Open("/proc/self/fd")
	if err != nil {
		return nil, fmt.Errorf("listing inherited descriptors: %w", err)
	}
	defer dir.Close()
	names, err := dir.Readdirnames(-1)
	if err != nil {
		return nil, fmt.Errorf("listing inherited descriptors: %w", err)
	}
	found := map[int]bool{}
	for _, name := range names {
		fd, err := strconv.Atoi(name)
		if err != nil {
			continue
		}
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if err == nil && flags&unix.FD_CLOEXEC == 0 {
			found[fd] = true
		}
	}
	return found, nil
}

// PassOn has Exec give the plan the descriptors fds as 3, 4 and so on, wherever they are now. They
// have been inherited, as a cluster's PMI socket is. sdk.ErrInvalid: one is not open.
func (g *Guard) PassOn(fds ...int) error {
	g.passed = nil
	for _, fd := range fds {
		if !g.inherited[fd] {
			return sdk.Mark(fmt.Errorf("descriptor %d, which is to be passed on, is not open", fd), sdk.ErrInvalid)
		}
		// Out of the way of the numbers they are to get, which berth may be using by now.
		free, err := unix.FcntlInt(uintptr(fd), unix.F_DUPFD_CLOEXEC, 3+len(fds))
		if err != nil {
			return fmt.Errorf("holding descriptor %d: %w", fd, err)
		}
		g.passed = append(g.passed, free)
	}
	return nil
}

// pass puts the descriptors where the plan expects them. What berth itself has there is set aside;
// back undoes it all.
func (g *Guard) pass() (back func(), err error) {
	const nothing = -1
	aside := map[int]int{}
	back = func() {
		for fd, saved := range aside {
			if saved == nothing {
				_ = unix.Close(fd)
				continue
			}
			_ = unix.Dup3(saved, fd, unix.O_CLOEXEC)
			_ = unix.Close(saved)
		}
	}
	for i, fd := range g.passed {
		to := 3 + i
		saved, err := unix.FcntlInt(uintptr(to), unix.F_DUPFD_CLOEXEC, 3+len(g.passed))
		if err != nil {
			saved = nothing
		}
		aside[to] = saved
		if err := unix.Dup3(fd, to, 0); err != nil {
			return back, fmt.Errorf("passing on descriptor %d: %w", to, err)
		}
	}
	return back, nil
}

// EndAfter has Context end after limit, for callers who must not be kept waiting.
func (g *Guard) EndAfter(limit time.Duration) {
	time.AfterFunc(limit, func() { g.signals.cancel(fmt.Errorf("not done within %v", limit)) })
}
