package supervise

import (
	"errors"
	"fmt"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// process is the container's first process, held so that no signal reaches another of its pid.
type process struct{ pid, fd int }

func hold(pid int) (*process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	if err != nil {
		return nil, sdk.Mark(fmt.Errorf("the container's process %d has ended before it was started: %w", pid, err), sdk.ErrUnavailable)
	}
	return &process{pid: pid, fd: fd}, nil
}

func (p *process) close() { unix.Close(p.fd) }

// signal sends one signal; a process that has ended needs none.
func (p *process) signal(sig syscall.Signal) { _ = unix.PidfdSendSignal(p.fd, sig, nil, 0) }

// wait returns the exit status once the process has ended. As a child of this process, to which
// whatever made it has left it, it tells it itself; else the runtime is asked.
func (p *process) wait(c Container) (int, error) {
	status, err := waitFor(p.pid)
	if !errors.Is(err, unix.ECHILD) {
		return status, err
	}
	fds := []unix.PollFd{{Fd: int32(p.fd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, -1)
		if n == 1 {
			break
		}
		if err != nil && err != unix.EINTR {
			return 0, fmt.Errorf("waiting for the container's process %d: %w", p.pid, err)
		}
	}
	status, err = c.Status()
	if err != nil {
		return 0, fmt.Errorf("the container has ended, but not its status is known: %w", err)
	}
	return status, nil
}

// waitFor reaps a child and returns its status as a shell would say it.
func waitFor(pid int) (int, error) {
	for {
		var ws unix.WaitStatus
		_, err := unix.Wait4(pid, &ws, 0, nil)
		switch {
		case err == unix.EINTR:
			continue
		case err != nil:
			return 0, fmt.Errorf("waiting for process %d: %w", pid, err)
		case ws.Signaled():
			return 128 + int(ws.Signal()), nil
		default:
			return ws.ExitStatus(), nil
		}
	}
}
