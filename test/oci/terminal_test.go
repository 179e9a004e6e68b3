package oci

import (
	"fmt"
	"io"
	"net"
	"os"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

// Terminals: sent over a console socket, and the caller's own.
func TestTerminal(t *testing.T) {
	terminal := set(true, "process", "terminal")
	devpts := mount("devpts", "devpts", "/dev/pts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620")
	size := set(object{"height": 33, "width": 77}, "process", "consoleSize")
	compare(t, []scenario{
		{name: "console socket", play: overSocket, edits: []edit{terminal, devpts}, shows: `"controlling": true`},
		{name: "console socket and size", play: overSocket, edits: []edit{terminal, devpts, size}, shows: `"size": "33 77"`},
		{name: "console socket, run detached", play: overSocketDetached, edits: []edit{terminal, devpts}, shows: `"controlling": true`},
		{name: "console socket, exec", play: execOverSocket, edits: []edit{devpts}, shows: `"controlling": true`},
		{name: "no console socket", edits: []edit{terminal, devpts}, shows: "create: status 1"},
		{name: "console socket without terminal", play: socketForNothing, shows: "?"},
		{name: "console socket missing", play: socketMissing, edits: []edit{terminal, devpts}, shows: "create: status 1"},
		{name: "caller's terminal", play: onTerminal, edits: []edit{terminal, devpts}, shows: `"controlling": true`},
		{name: "caller's terminal, status", play: onTerminal, edits: []edit{terminal, devpts, args("/bin/probe", "exit", "9")}, shows: "status 9"},
		{name: "caller has no terminal", play: foreground, edits: []edit{terminal, devpts}, shows: "?"},
		{name: "exec -t", play: execOnTerminal, edits: []edit{devpts}, shows: "/dev/pts/N", differs: map[string]string{"crun": "/dev/pts/N"}},
	})
}

// console listens for a terminal as engines do.
type console struct {
	path string
	ends chan struct{}
	lock sync.Mutex
	text strings.Builder // what was written to the terminal so far
}

func (c *console) Write(text []byte) (int, error) {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.text.Write(text)
}

func (c *console) says() string {
	c.lock.Lock()
	defer c.lock.Unlock()
	return c.text.String()
}

// all waits for the end of the terminal.
func (c *console) all() string {
	<-c.ends
	return c.says()
}

func (b *box) console() *console {
	path := b.path("c.sock")
	if len(path) > 100 { // sun_path, unix(7)
		dir, err := os.MkdirTemp("", "berth-oci-*")
		b.check(err)
		b.t.Cleanup(func() { _ = os.RemoveAll(dir) })
		path = dir + "/" + b.id
	}
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	b.check(err)
	b.check(listener.SetDeadline(await.End(b.t)))
	b.called(path, "$SOCKET")
	c := &console{path: path, ends: make(chan struct{})}
	go func() {
		defer close(c.ends)
		defer listener.Close()
		if err := c.receive(listener); err != nil {
			fmt.Fprintf(c, "no terminal: %v", err)
		}
	}()
	return c
}

// receive takes a terminal from the first who connects and reads it to its end.
func (c *console) receive(listener *net.UnixListener) error {
	conn, err := listener.AcceptUnix()
	if err != nil {
		return err
	}
	defer conn.Close()
	name, oob := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(name, oob)
	if err != nil {
		return err
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return fmt.Errorf("%d messages: %w", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return fmt.Errorf("%d descriptors: %w", len(fds), err)
	}
	terminal := os.NewFile(uintptr(fds[0]), "terminal")
	defer terminal.Close()
	_, _ = io.Copy(c, terminal) // until nobody has the other side open, EIO: pty(7)
	return nil
}

func overSocket(b *box) {
	c := b.console()
	b.engine(call{}, b.bundle(b.edits...), "--console-socket", c.path)
	b.note("terminal: %s", c.all())
}

func overSocketDetached(b *box) {
	c := b.console()
	pidFile := b.path("pid")
	bundle := b.bundle(append(b.edits, script("/bin/probe facts; "+wait))...)
	b.ask("run", "--detach", "--pid-file", pidFile, "--console-socket", c.path, "--bundle", bundle, b.id)
	b.eventually("a terminal in use", func() bool { return strings.Contains(c.says(), "ready") })
	b.ask("kill", b.id)
	b.note("container ended with %d", b.reap(pidFile))
	b.note("terminal: %s", c.all())
	b.ask("delete", b.id)
}

func execOverSocket(b *box) {
	r := b.running()
	c := b.console()
	pidFile := b.path("exec.pid")
	process := object{"terminal": true}
	if b.runtime == "runc" { // crun does not look at it here
		process["consoleSize"] = object{"height": 11, "width": 22}
	}
	document := b.processDocument(process, "/bin/probe", "facts")
	b.ask("exec", "--pid-file", pidFile, "--process", document, "--console-socket", c.path, "--detach", b.id)
	b.note("exec ended with %d", b.reap(pidFile))
	b.note("terminal: %s", c.all())
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
}

func socketForNothing(b *box) {
	listener, err := net.Listen("unix", b.path("c.sock"))
	b.check(err)
	defer listener.Close()
	b.engine(call{}, b.bundle(b.edits...), "--console-socket", b.path("c.sock"))
}

func socketMissing(b *box) {
	b.engine(call{}, b.bundle(b.edits...), "--console-socket", "/no/such/socket")
}

// onTerminal plays run on a terminal of 24 lines and 80 columns.
func onTerminal(b *box) { b.onTerminal("run", "--bundle", b.bundle(b.edits...), b.id) }

func execOnTerminal(b *box) {
	r := b.running()
	b.onTerminal("exec", "-t", b.id, "sh", "-c", "tty; exit 5")
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
}

// sizes of the terminal: runtimes set it while the program already runs.
var sizes = regexp.MustCompile(`"size": "[0-9 ]+"`)

func (b *box) onTerminal(args ...string) {
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	b.check(err)
	defer master.Close()
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	b.check(err)
	b.check(unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	b.check(unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}))
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	b.check(err)
	cmd, _, _ := b.start(call{args: args, stdin: terminal, output: terminal, attr: &syscall.SysProcAttr{Setsid: true, Setctty: true}})
	terminal.Close()
	var output strings.Builder
	_, _ = io.Copy(&output, master)
	b.note("terminal: %s", sizes.ReplaceAllString(strings.ReplaceAll(output.String(), "\r", ""), "SIZE"))
	b.note("status %d", b.wait(cmd))
}
