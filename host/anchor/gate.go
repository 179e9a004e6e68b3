package anchor

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// gateName is the FIFO in a container's directory at which its anchor waits. It is there exactly as
// long as the container is created and not started.
const gateName = "start"

// Gate is what an anchor waits at.
type Gate struct {
	dir  string
	fifo int
	gone int // inotify(7): the directory has been moved, or something in it removed
}

// MakeGate makes the gate of a container in its directory. sdk.ErrUnavailable: it cannot be made, and
// nothing is left of it.
func MakeGate(dir string) (g *Gate, err error) {
	path := filepath.Join(dir, gateName)
	defer func() { err = sdk.Mark(err, sdk.ErrUnavailable) }()
	if err := unix.Mkfifo(path, 0o600); err != nil {
		return nil, fmt.Errorf("making %q: %w", path, err)
	}
	g = &Gate{dir: dir, fifo: -1, gone: -1}
	// Open for writing, too: it is never at its end then.
	if g.fifo, err = unix.Open(path, unix.O_RDWR|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0); err == nil {
		g.gone, err = unix.InotifyInit1(unix.IN_CLOEXEC | unix.IN_NONBLOCK)
	}
	if err == nil {
		_, err = unix.InotifyAddWatch(g.gone, dir, unix.IN_MOVE_SELF|unix.IN_DELETE)
	}
	if err != nil {
		g.Close()
		_ = os.Remove(path)
		return nil, fmt.Errorf("opening %q: %w", path, err)
	}
	return g, nil
}

// Wait returns once somebody wants the container started: it counts as running then. An error says that
// its directory is gone.
func (g *Gate) Wait() error {
	fds := []unix.PollFd{{Fd: int32(g.fifo), Events: unix.POLLIN}, {Fd: int32(g.gone), Events: unix.POLLIN}}
	for {
		_, err := unix.Poll(fds, -1)
		switch {
		case err == unix.EINTR:
		case err != nil:
			return fmt.Errorf("waiting for the start: %w", err)
		case fds[1].Revents != 0:
			if !Waits(g.dir) {
				return errors.New("the container's directory is gone")
			}
			_, _ = unix.Read(g.gone, make([]byte, 4096)) // it was something else
		case fds[0].Revents != 0:
			return os.Remove(filepath.Join(g.dir, gateName))
		}
	}
}

// Close closes the gate; exec does, too. Whoever opened it is let go.
func (g *Gate) Close() {
	for _, fd := range []int{g.fifo, g.gone} {
		if fd >= 0 {
			unix.Close(fd)
		}
	}
}

// Waits says whether the container in dir is created and not started, as long as its process lives.
func Waits(dir string) bool {
	info, err := os.Lstat(filepath.Join(dir, gateName))
	return err == nil && info.Mode()&fs.ModeNamedPipe != 0
}

// Open has the anchor of the container in dir go on, and returns once it is its plan. fs.ErrNotExist:
// it has been started before. sdk.ErrState: it has ended.
func Open(ctx context.Context, dir string) error {
	path := filepath.Join(dir, gateName)
	fd, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err == unix.ENXIO {
		return sdk.Mark(errors.New("its process has ended"), sdk.ErrState)
	}
	if err != nil {
		return &os.PathError{Op: "open", Path: path, Err: err}
	}
	defer unix.Close(fd)
	if _, err := unix.Write(fd, []byte{'\n'}); err != nil {
		return fmt.Errorf("starting the container: %w", err)
	}
	return awaitExec(ctx, fd)
}

// lookTime is how often somebody who waits for a container's program looks whether its own time is over.
const lookTime = 10 * time.Millisecond

// awaitExec returns when nobody has the other end of a FIFO any more: exec has closed it.
func awaitExec(ctx context.Context, fd int) error {
	for {
		fds := []unix.PollFd{{Fd: int32(fd)}} // POLLERR comes unasked
		if _, err := unix.Poll(fds, int(lookTime.Milliseconds())); err != nil && err != unix.EINTR {
			return fmt.Errorf("starting the container: %w", err)
		}
		if fds[0].Revents != 0 {
			return nil
		}
		if ctx.Err() != nil {
			return fmt.Errorf("starting the container: %w", context.Cause(ctx))
		}
	}
}
