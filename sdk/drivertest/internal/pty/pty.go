// Package pty opens pseudo-terminals.
package pty

import (
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// Open opens a pseudo-terminal of the given size that keeps its output when a signal is typed. Master is what a terminal emulator holds, Slave
// what a program has as its standard streams. Reading Master ends with an error once nobody has
// Slave open; it takes deadlines.
func Open(rows, cols uint16) (master, slave *os.File, err error) {
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("opening /dev/ptmx: %w", err)
	}
	defer func() {
		if err != nil {
			unix.Close(fd)
		}
	}()
	if err := resize(fd, rows, cols); err != nil {
		return nil, nil, err
	}
	if err := KeepOutput(fd); err != nil {
		return nil, nil, err
	}
	if err := unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0); err != nil {
		return nil, nil, fmt.Errorf("unlocking a pty: %w", err)
	}
	number, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	if err != nil {
		return nil, nil, fmt.Errorf("asking for a pty's number: %w", err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		return nil, nil, fmt.Errorf("opening a pty: %w", err)
	}
	return os.NewFile(uintptr(fd), "/dev/ptmx"), slave, nil
}

// KeepOutput has a terminal keep what is on its way to the screen when Ctrl-C is typed: by default the
// kernel sends the signal and then drops that, with what the program says of the signal (termios(3),
// NOFLSH).
func KeepOutput(fd int) error {
	mode, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err == nil {
		mode.Lflag |= unix.NOFLSH
		err = unix.IoctlSetTermios(fd, unix.TCSETS, mode)
	}
	if err != nil {
		return fmt.Errorf("setting a terminal's modes: %w", err)
	}
	return nil
}

// Resize sets the terminal's size; its foreground processes get SIGWINCH.
func Resize(master *os.File, rows, cols uint16) error {
	conn, err := master.SyscallConn() // Fd would make the file blocking
	if err != nil {
		return fmt.Errorf("setting a pty's size: %w", err)
	}
	var failed error
	if err := conn.Control(func(fd uintptr) { failed = resize(int(fd), rows, cols) }); err != nil {
		return fmt.Errorf("setting a pty's size: %w", err)
	}
	return failed
}

func resize(fd int, rows, cols uint16) error {
	if err := unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: rows, Col: cols}); err != nil {
		return fmt.Errorf("setting a pty's size: %w", err)
	}
	return nil
}
