package state

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"syscall"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// Process is the recorded process of a container, held by a pidfd: whatever becomes of its pid,
// this stays the same process.
type Process struct {
	pidfd int
	pid   int // in this process's pid namespace
	uid   int // whose it has to be to get signals
}

// Process returns the recorded process while it runs; a zombie does not. The caller closes it.
//
// sdk.ErrState: it has ended; so has every process of an earlier boot. sdk.ErrUnavailable: that
// cannot be told, because the record is from another pid namespace, whose pids mean nothing in this
// one, or because the kernel hides the process.
func (r Record) Process() (*Process, error) {
	p, err := r.process()
	if err != nil {
		return nil, fmt.Errorf("container %q: %w", r.ID, err)
	}
	return p, nil
}

func (r Record) process() (*Process, error) {
	if earlier, err := r.earlierBoot(); err != nil {
		return nil, err
	} else if earlier {
		return nil, ended(r.Pid)
	}
	namespace, err := pidNamespace()
	if err != nil {
		return nil, err
	}
	if namespace != r.PidNamespace {
		return nil, sdk.Mark(fmt.Errorf("its process %d is in another pid namespace (%d, this is %d)", r.Pid, r.PidNamespace, namespace), sdk.ErrUnavailable)
	}
	p, err := openProcess(r.Pid)
	if err != nil {
		return nil, err
	}
	p.uid = seen(r.UID)
	start, err := p.startTime()
	if err == nil && start != r.StartTime {
		err = ended(r.Pid)
	}
	if err != nil {
		p.Close()
		return nil, err
	}
	return p, nil
}

// Alive says whether the recorded process runs. An error, as of Process, means that it cannot be
// told: take the process for alive.
func (r Record) Alive() (bool, error) {
	p, err := r.Process()
	if errors.Is(err, sdk.ErrState) {
		return false, nil
	}
	if err != nil {
		return false, err
	}
	p.Close()
	return true, nil
}

// earlierBoot says whether the record is from before the node's last boot.
func (r Record) earlierBoot() (bool, error) {
	boot, err := bootID()
	return err == nil && boot != r.BootID, err
}

// Pid returns the process's pid in this pid namespace. It may be another's by the time it is used.
func (p *Process) Pid() int { return p.pid }

// Close lets go of the process, which runs on.
func (p *Process) Close() {
	unix.Close(p.pidfd)
	p.pidfd = -1 // whose number may soon be another file's
}

// Signal sends sig to the process, and to no other whatever became of its pid. Signal 0 sends
// nothing and checks the rest.
//
// sdk.ErrState: it has ended. sdk.ErrInvalid: there is no such signal, or the process is not the
// recorded user's. sdk.ErrUnavailable: the kernel does not let this process signal that one.
func (p *Process) Signal(sig syscall.Signal) error {
	owned, err := p.owned()
	if err != nil {
		return err
	}
	if !owned {
		return sdk.Mark(fmt.Errorf("process %d does not belong to uid %d: it gets no signal", p.pid, p.uid), sdk.ErrInvalid)
	}
	err = unix.PidfdSendSignal(p.pidfd, sig, nil, 0)
	switch err {
	case nil:
		return nil
	case unix.ESRCH:
		return ended(p.pid)
	case unix.EINVAL:
		return sdk.Mark(fmt.Errorf("signal %d does not exist", int(sig)), sdk.ErrInvalid)
	}
	return sdk.Mark(fmt.Errorf("sending signal %d to process %d: %w", int(sig), p.pid, err), sdk.ErrUnavailable)
}

// Wait returns once the process has ended, or with ctx's cause. It does not reap and knows no
// status: only the parent can.
func (p *Process) Wait(ctx context.Context) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return sdk.Mark(fmt.Errorf("waiting for process %d: %w", p.pid, err), sdk.ErrUnavailable)
	}
	defer reader.Close()
	stop := context.AfterFunc(ctx, func() { writer.Close() }) // which wakes the poll
	defer func() {
		if stop() {
			writer.Close()
		}
	}()
	fds := []unix.PollFd{{Fd: int32(p.pidfd), Events: unix.POLLIN}, {Fd: int32(reader.Fd())}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return sdk.Mark(fmt.Errorf("waiting for process %d: %w", p.pid, err), sdk.ErrUnavailable)
		case fds[0].Revents != 0:
			return nil
		case fds[1].Revents != 0:
			return fmt.Errorf("waiting for process %d: %w", p.pid, context.Cause(ctx))
		}
	}
}

// owned says whether the process belongs to the recorded uid: by one of its uids, or because that
// uid owns its user namespace, in which a container's program may have become any other.
func (p *Process) owned() (bool, error) {
	uids, err := p.uids()
	if err != nil {
		return false, err
	}
	if slices.Contains(uids, p.uid) {
		return true, nil
	}
	owner, err := p.namespaceOwner()
	return err == nil && owner == p.uid, nil
}

func ended(pid int) error {
	return sdk.Mark(fmt.Errorf("its process %d has ended", pid), sdk.ErrState)
}
