package probe

import (
	"fmt"
	"net"
	"os"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/pty"
)

// handOver does what berth-init does as "--hand-over N [--program FILE] [--console SOCKET]": the standard
// streams, or a new terminal whose master goes to the socket, are on the descriptors from first on, and the
// file is on the one after them.
func handOver(first int, console, program string) error {
	from := []int{0, 1, 2}
	if program != "" {
		if err := handProgram(program, first+3); err != nil {
			return err
		}
	}
	if console != "" {
		fd, err := newTerminal(console, first+4)
		if err != nil {
			return fmt.Errorf("making the container's terminal: %w", err)
		}
		from = []int{fd, fd, fd}
	}
	low, err := unix.Open(os.DevNull, unix.O_RDWR|unix.O_CLOEXEC, 0)
	null := low
	if err == nil {
		null, err = unix.FcntlInt(uintptr(low), unix.F_DUPFD_CLOEXEC, first+4) // out of the way
	}
	for i, fd := range from {
		if err == nil && unix.Dup3(fd, first+i, 0) != nil {
			err = unix.Dup3(null, first+i, 0) // the caller has closed it
		}
	}
	for fd := range 2 {
		if err == nil {
			err = unix.Dup3(null, fd, 0)
		}
	}
	return err
}

// newTerminal returns the program's side of a new terminal, on a descriptor from least on.
func newTerminal(console string, least int) (int, error) {
	master, slave, err := pty.Open(24, 80)
	if err != nil {
		return 0, err
	}
	defer master.Close()
	defer slave.Close()
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: console, Net: "unix"})
	if err != nil {
		return 0, err
	}
	defer conn.Close()
	raw, err := master.SyscallConn()
	if err != nil {
		return 0, err
	}
	var sent error
	if err := raw.Control(func(fd uintptr) { _, _, sent = conn.WriteMsgUnix([]byte("/dev/ptmx"), unix.UnixRights(int(fd)), nil) }); err != nil {
		return 0, err
	}
	if sent != nil {
		return 0, sent
	}
	return unix.FcntlInt(slave.Fd(), unix.F_DUPFD_CLOEXEC, least)
}

// takeOver does what berth-init does as "--take-over N".
func takeOver(first int) error {
	for i := range 3 {
		if err := unix.Dup3(first+i, i, 0); err != nil {
			return err
		}
		unix.Close(first + i)
	}
	return nil
}

// controlTerminal does what berth-init does as "--terminal".
func controlTerminal() error {
	if _, err := unix.Setsid(); err != nil {
		return err
	}
	return unix.IoctlSetInt(0, unix.TIOCSCTTY, 0)
}
