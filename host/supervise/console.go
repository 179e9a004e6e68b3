package supervise

import (
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// Console joins the terminal of this process with the container's, which the runtime sends over a socket.
type Console struct {
	listener *net.UnixListener
	master   *os.File // of the container's terminal; nil before connect
	before   *unix.Termios
	copied   chan struct{} // closed once all output has been written
}

// Listen waits for the container's terminal at a socket of this path, in a directory of the caller's own.
func Listen(path string) (*Console, error) {
	l, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		return nil, sdk.Mark(fmt.Errorf("listening for the container's terminal: %w", err), sdk.ErrUnavailable)
	}
	return &Console{listener: l, copied: make(chan struct{})}, nil
}

// connectTime is how long the runtime may take to send a terminal, once it has said that the
// container is there.
const connectTime = 10 * time.Second

// connect takes the terminal and begins to pass on what is typed and what is printed.
func (c *Console) connect() error {
	master, err := c.receive()
	if err != nil {
		return sdk.Mark(fmt.Errorf("taking the container's terminal: %w", err), sdk.ErrUnavailable)
	}
	c.master = master
	c.resize()
	if c.before, err = makeRaw(0); err != nil {
		return fmt.Errorf("preparing the terminal: %w", err)
	}
	go func() { _, _ = io.Copy(master, os.Stdin) }() // ends with this process
	go func() {
		defer close(c.copied)
		_, _ = io.Copy(os.Stdout, master) // EIO: the container has closed its side
	}()
	return nil
}

// receive takes the descriptor that comes over the socket (unix(7), SCM_RIGHTS).
func (c *Console) receive() (*os.File, error) {
	deadline := time.Now().Add(connectTime)
	if err := c.listener.SetDeadline(deadline); err != nil {
		return nil, err
	}
	conn, err := c.listener.AcceptUnix()
	if err != nil {
		return nil, err
	}
	defer conn.Close()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, err
	}
	name, control := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(name, control)
	if err != nil {
		return nil, err
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil {
		return nil, err
	}
	if len(messages) != 1 {
		return nil, errors.New("the runtime sent none")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, errors.New("the runtime sent none")
	}
	unix.CloseOnExec(fds[0])
	if err := unix.SetNonblock(fds[0], true); err != nil { // so that reading it can be ended
		return nil, err
	}
	return os.NewFile(uintptr(fds[0]), "container's terminal"), nil
}

// resize gives the container's terminal the size of this process's.
func (c *Console) resize() {
	size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ)
	if err != nil {
		return
	}
	if conn, err := c.master.SyscallConn(); err == nil { // Fd would make it block
		_ = conn.Control(func(fd uintptr) { _ = unix.IoctlSetWinsize(int(fd), unix.TIOCSWINSZ, size) })
	}
}

// drainTime is how long output that the container has left may take to be written.
const drainTime = time.Second

// Close writes what output is left and gives the terminal back as it was.
func (c *Console) Close() {
	c.listener.Close()
	if c.master == nil {
		return
	}
	select {
	case <-c.copied:
	case <-time.After(drainTime):
	}
	if c.before != nil {
		_ = unix.IoctlSetTermios(0, unix.TCSETS, c.before)
		c.before = nil
	}
	c.master.Close()
}

// makeRaw has every key reach the container as it is (termios(3), cfmakeraw), and returns what was before.
func makeRaw(fd int) (*unix.Termios, error) {
	before, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	if err != nil {
		return nil, err
	}
	raw := *before
	raw.Iflag &^= unix.IGNBRK | unix.BRKINT | unix.PARMRK | unix.ISTRIP | unix.INLCR | unix.IGNCR | unix.ICRNL | unix.IXON
	raw.Oflag &^= unix.OPOST
	raw.Lflag &^= unix.ECHO | unix.ECHONL | unix.ICANON | unix.ISIG | unix.IEXTEN
	raw.Cflag = raw.Cflag&^(unix.CSIZE|unix.PARENB) | unix.CS8
	raw.Cc[unix.VMIN], raw.Cc[unix.VTIME] = 1, 0
	return before, unix.IoctlSetTermios(fd, unix.TCSETS, &raw)
}
