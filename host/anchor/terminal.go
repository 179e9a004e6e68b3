package anchor

import (
	"fmt"
	"net"
	"os"

	"github.com/containerd/console"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// TakeTerminal makes a terminal, sends its master over the unix socket (SCM_RIGHTS, with the terminal's
// name, as runc does), and makes it the standard streams and the controlling terminal of this process,
// which leads a session for that. Rows and columns are its size; 0: unknown.
//
// sdk.ErrInvalid: nobody listens at the socket. sdk.ErrUnavailable: the node gives no terminal.
func TakeTerminal(socket string, rows, columns int) error {
	conn, err := net.DialUnix("unix", nil, &net.UnixAddr{Name: socket, Net: "unix"})
	if err != nil {
		return sdk.Mark(fmt.Errorf("sending the terminal to the console socket: %w", err), sdk.ErrInvalid)
	}
	defer conn.Close()
	master, name, err := console.NewPty()
	if err != nil {
		return sdk.Mark(fmt.Errorf("making a terminal: %w", err), sdk.ErrUnavailable)
	}
	defer master.Close()
	if rows > 0 && columns > 0 {
		if err := master.Resize(console.WinSize{Height: uint16(rows), Width: uint16(columns)}); err != nil {
			return sdk.Mark(fmt.Errorf("setting the terminal's size: %w", err), sdk.ErrUnavailable)
		}
	}
	if err := become(name); err != nil {
		return sdk.Mark(fmt.Errorf("taking the terminal %s: %w", name, err), sdk.ErrUnavailable)
	}
	if _, _, err := conn.WriteMsgUnix([]byte(name), unix.UnixRights(int(master.Fd())), nil); err != nil {
		return sdk.Mark(fmt.Errorf("sending the terminal to the console socket: %w", err), sdk.ErrInvalid)
	}
	return nil
}

// become makes the terminal this process's own. Leading a session already, as an anchor does, is fine.
func become(name string) error {
	_, _ = unix.Setsid()
	fd, err := unix.Open(name, unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return &os.PathError{Op: "open", Path: name, Err: err}
	}
	defer unix.Close(fd)
	if err := unix.IoctlSetInt(fd, unix.TIOCSCTTY, 0); err != nil {
		return fmt.Errorf("making it the controlling terminal: %w", err)
	}
	for stream := range 3 {
		if err := unix.Dup3(fd, stream, 0); err != nil {
			return err
		}
	}
	return nil
}
