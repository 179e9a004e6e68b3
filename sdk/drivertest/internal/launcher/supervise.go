package launcher

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
)

// supervise is what the host does for a driver that has no single command: it creates, starts, passes
// signals on, waits, deletes, and returns the container's status.
func supervise(req *Request, create *sdk.Command) (int, error) {
	incoming := hear(req.IgnoreHUP)
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("becoming a subreaper: %w", err)
	}
	pid, err := created(req, create)
	if err != nil {
		return 0, err // there is nothing to delete, or it is another one's
	}
	fd, err := unix.PidfdOpen(pid, 0)
	if err == nil {
		err = req.call(func(ctx context.Context, d *client.Driver) error { return d.Start(ctx, &req.Container) })
	}
	if err != nil {
		_ = req.delete() // the error counts
		return 0, err
	}
	go forward(incoming, fd)
	status, err := awaited(req, pid, fd)
	return status, errors.Join(err, req.delete())
}

// hear collects the signals that are the program's, those excepted that concern this process alone, as the
// host has it: SIGPIPE, for one, comes of a driver that was ended.
func hear(ignoreHUP bool) chan os.Signal {
	incoming := make(chan os.Signal, 256)
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		switch sig {
		case unix.SIGCHLD, unix.SIGURG, unix.SIGPIPE, unix.SIGPROF, unix.SIGTTIN, unix.SIGTTOU, unix.SIGKILL, unix.SIGSTOP, 32, 33:
			continue
		}
		if sig != unix.SIGHUP || !ignoreHUP {
			signal.Notify(incoming, sig)
		}
	}
	if ignoreHUP {
		ignoreHangup()
	}
	return incoming
}

func forward(incoming chan os.Signal, fd int) {
	for sig := range incoming {
		_ = unix.PidfdSendSignal(fd, sig.(syscall.Signal), nil, 0) // it may have ended
		if sig == unix.SIGTSTP {
			_ = unix.Kill(os.Getpid(), unix.SIGSTOP)
		}
	}
}

// pidFile is where the runtime of a supervised container writes its pid.
func (req *Request) pidFile() string { return filepath.Join(req.Container.Bundle, "pid") }

// created runs the create command and returns the container's pid.
func created(req *Request, create *sdk.Command) (int, error) {
	files := []uintptr{0, 1, 2}
	if req.CloseStdin {
		files[0] = ^uintptr(0)
	}
	for fd := range req.Files {
		files = append(files, uintptr(3+fd))
	}
	child, err := syscall.ForkExec(create.Path, create.Args, &syscall.ProcAttr{Dir: create.Dir, Env: create.Env, Files: files})
	if err != nil {
		return 0, fmt.Errorf("executing %q: %w", create.Path, err)
	}
	if status, err := reap(child); err != nil || status != 0 {
		return 0, errors.Join(fmt.Errorf("creating the container ended with status %d", status), err)
	}
	text, err := os.ReadFile(req.pidFile())
	if err != nil {
		return 0, fmt.Errorf("creating the container: %w", err)
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// reap waits for a child. The error is unix.ECHILD for a process that is none.
func reap(pid int) (int, error) {
	for {
		var ws unix.WaitStatus
		_, err := unix.Wait4(pid, &ws, 0, nil)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return 0, err
		case ws.Signaled():
			return 128 + int(ws.Signal()), nil
		default:
			return ws.ExitStatus(), nil
		}
	}
}

// awaited returns the container's status: as its parent, or from the driver.
func awaited(req *Request, pid, fd int) (status int, err error) {
	if status, err = reap(pid); err != unix.ECHILD {
		return status, err
	}
	fds := []unix.PollFd{{Fd: int32(fd), Events: unix.POLLIN}}
	for n := 0; n == 0 || err == unix.EINTR; {
		n, err = unix.Poll(fds, -1)
	}
	err = req.call(func(ctx context.Context, d *client.Driver) error {
		state, err := d.State(ctx, &req.Container)
		if err == nil {
			status, err = strconv.Atoi(state.Annotations[sdk.ExitStatusAnnotation])
		}
		return err
	})
	return status, err
}

func (req *Request) delete() error {
	return req.call(func(ctx context.Context, d *client.Driver) error { return d.Delete(ctx, &req.Container, true) })
}

// call starts the driver for one short call, in a directory of its own: another task of the container may
// be asking the driver, too.
func (req *Request) call(f func(context.Context, *client.Driver) error) error {
	ctx, cancel := context.WithTimeout(context.Background(), Abandoned)
	defer cancel()
	scratch, err := os.MkdirTemp(req.Scratch, "s")
	if err != nil {
		return err
	}
	defer os.RemoveAll(scratch)
	own := *req
	own.Scratch = scratch
	d, err := own.open(ctx)
	if err != nil {
		return err
	}
	defer d.Close()
	return f(ctx, d)
}
