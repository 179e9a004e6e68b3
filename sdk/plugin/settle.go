package plugin

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/debug"
	"syscall"

	"golang.org/x/sys/unix"
)

// settle gives the process streams, descriptors and signals of its own, whoever started it.
func settle() error {
	if err := replace(0, os.O_RDONLY); err != nil {
		return err
	}
	// What the host or its caller left open is not for a runtime that the driver starts. Kernels
	// before 5.11 cannot do this; there the host's own care has to do.
	err := unix.CloseRange(3, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC)
	if err != nil && !errors.Is(err, unix.ENOSYS) && !errors.Is(err, unix.EINVAL) {
		return fmt.Errorf("closing inherited descriptors on exec: %w", err)
	}
	unix.Umask(0o077)
	// A driver does not live long enough to need the collections of its first megabytes.
	debug.SetGCPercent(400)
	survive()
	setLog()
	return nil
}

// muteStdout gives stdout away: nothing that a driver or a library writes there may disturb the
// host, nor fill a pipe that nobody reads.
func muteStdout() error { return replace(1, os.O_WRONLY) }

// replace puts /dev/null on a standard stream.
func replace(fd, flags int) error {
	null, err := os.OpenFile(os.DevNull, flags, 0)
	if err != nil {
		return fmt.Errorf("opening %s: %w", os.DevNull, err)
	}
	defer null.Close()
	if err := unix.Dup3(int(null.Fd()), fd, 0); err != nil {
		return fmt.Errorf("putting %s on descriptor %d: %w", os.DevNull, fd, err)
	}
	return nil
}

// survive keeps signals that were meant for the job from ending a driver in mid-call: Slurm may
// send them to every process it can find. They are caught, not ignored, since programs that the
// driver starts would inherit that.
func survive() {
	caught := make(chan os.Signal, 1)
	signal.Notify(caught, syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM)
	go func() {
		for range caught {
		}
	}()
}
