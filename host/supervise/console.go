package supervise

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
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
		_, err := io.Copy(os.Stdout, master) // EIO: the container has closed its side
		if errors.Is(err, os.ErrDeadlineExceeded) {
			copyRest(os.Stdout, master)
		}
	}()
	return nil
}

// receive takes the descriptor that comes over the socket (unix(7), SCM_RIGHTS).
func (c *Console) receive() (*os.File, error) {
	ctx, cancel := limit.WithTimeout(context.Background(), connectTime, "no terminal")
	defer cancel()
	defer context.AfterFunc(ctx, func() { _ = c.listener.SetDeadline(time.Unix(1, 0)) })()
	conn, err := c.listener.AcceptUnix()
	if err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
	}
	defer conn.Close()
	defer context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })()
	name, control := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(name, control)
	if err != nil {
		return nil, cmp.Or(context.Cause(ctx), err)
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

// copyRest writes what is in the terminal now, without waiting for more: something that has survived the container may
// keep it open.
func copyRest(to io.Writer, master *os.File) {
	conn, err := master.SyscallConn()
	if err != nil {
		return
	}
	buffer := make([]byte, 4096)
	_ = conn.Control(func(fd uintptr) { // the deadline would keep conn.Read from trying
		for range maxRest / len(buffer) {
			n, err := unix.Read(int(fd), buffer)
			if n <= 0 || err != nil {
				return
			}
			if _, err := to.Write(buffer[:n]); err != nil {
				return
			}
		}
	})
}

// maxRest is more than the kernel keeps of a terminal's output (tty_buffer.c, TTYB_DEFAULT_MEM_LIMIT).
const maxRest = 1 << 20

// drainTime is how long this process's own terminal may take for output that the container has left.
const drainTime = time.Second

// Close writes what output is left and gives the terminal back as it was.
func (c *Console) Close() {
	c.listener.Close()
	if c.master == nil {
		return
	}
	_ = c.master.SetReadDeadline(time.Unix(1, 0))
	ctx, cancel := limit.WithTimeout(context.Background(), drainTime, "not written")
	select {
	case <-c.copied:
	case <-ctx.Done():
	}
	cancel()
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
