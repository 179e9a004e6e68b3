package client

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// dial waits until the driver listens, connects to its socket, and makes sure that it is the driver
// that listens there.
func (p *process) dial(ctx context.Context, _ string) (net.Conn, error) {
	select {
	case <-p.ready:
	case <-ctx.Done():
		return nil, context.Cause(ctx)
	}
	if p.refuse != nil {
		return nil, p.refuse
	}
	var d net.Dialer
	conn, err := d.DialContext(ctx, "unix", p.socket)
	if err != nil {
		return nil, err
	}
	if err := p.verifyPeer(conn.(*net.UnixConn)); err != nil {
		conn.Close()
		return nil, err
	}
	return conn, nil
}

func (p *process) verifyPeer(conn *net.UnixConn) error {
	raw, err := conn.SyscallConn()
	if err != nil {
		return err
	}
	var peer *unix.Ucred
	var peerErr error
	if err := raw.Control(func(fd uintptr) {
		peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED)
	}); err != nil {
		return err
	}
	if peerErr != nil {
		return fmt.Errorf("asking who listens: %w", peerErr)
	}
	group, _ := unix.Getpgid(int(peer.Pid))
	if int(peer.Uid) != os.Geteuid() || group != p.id() {
		return fmt.Errorf("another process listens at %s: pid %d, uid %d", filepath.Base(p.socket), peer.Pid, peer.Uid)
	}
	return nil
}
