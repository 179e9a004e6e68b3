package handoff

import (
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// Spawn starts cmd as a child, for a plan that this process outlives: with the standard streams and the
// job's further descriptors, as Exec would have given them to it. The caller waits for the pid.
func (g *Guard) Spawn(cmd *sdk.Command) (pid int, err error) {
	const closed = ^uintptr(0)
	var files []uintptr
	for fd := range 3 {
		file := uintptr(fd)
		if _, err := unix.FcntlInt(file, unix.F_GETFD, 0); err != nil {
			file = closed // as the caller left it
		}
		files = append(files, file)
	}
	for _, fd := range g.passed {
		files = append(files, uintptr(fd))
	}
	pid, err = syscall.ForkExec(cmd.Path, cmd.Args, &syscall.ProcAttr{Dir: cmd.Dir, Env: cmd.Env, Files: files})
	if err != nil {
		return 0, fmt.Errorf("executing %s: %w", cmd.Path, err)
	}
	g.Keep(pid)
	return pid, nil
}

// Keep says that a child is no stray: it outlives this process, or is waited for.
func (g *Guard) Keep(pid int) { g.children[pid] = true }
