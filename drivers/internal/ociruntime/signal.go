package ociruntime

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// maxRounds bounds how often SignalAll looks again for processes that were forked meanwhile.
const maxRounds = 16

// SignalAll sends sig once to every process of the container whose first process has the pid, and
// to those that appear while it does so. One that cannot be signalled does not spare the others.
func SignalAll(ctx context.Context, pid int, sig syscall.Signal) error {
	own, _ := processAt(os.Getpid())
	first, ok := processAt(pid)
	if !ok {
		return nil // it has ended by itself
	}
	sent := map[string]bool{}
	var failed error
	for range maxRounds {
		all, err := processes()
		if err != nil {
			return err
		}
		fresh := false
		for _, p := range members(first, all, own) {
			name := strconv.Itoa(p.pid) + " " + p.start
			if sent[name] || ctx.Err() != nil {
				continue
			}
			sent[name], fresh = true, true
			if err := p.signal(sig); err != nil && failed == nil {
				failed = fmt.Errorf("signalling process %d of the container: %w", p.pid, sdk.Mark(err, sdk.ErrUnavailable))
			}
		}
		if !fresh {
			break
		}
	}
	return errors.Join(failed, ctx.Err())
}

// signal sends sig through a pidfd, so that it cannot reach a later process with the same pid. A
// process that has ended meanwhile is no error.
func (p process) signal(sig syscall.Signal) error {
	fd, err := unix.PidfdOpen(p.pid, 0)
	if errors.Is(err, unix.ESRCH) {
		return nil
	}
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	if now, ok := processAt(p.pid); !ok || now.start != p.start {
		return nil
	}
	if err := unix.PidfdSendSignal(fd, sig, nil, 0); err != nil && !errors.Is(err, unix.ESRCH) {
		return err
	}
	return nil
}
