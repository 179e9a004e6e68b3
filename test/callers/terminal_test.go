package callers

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// terminal makes a pseudo terminal of 33 rows and 101 columns.
func terminal(t testing.TB) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	check(t, err)
	t.Cleanup(func() { master.Close() })
	check(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	check(t, err)
	check(t, unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 101}))
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	check(t, err)
	return master, slave
}

// onTerminal starts a call whose standard streams are a terminal. What it writes is stdout.
func (e *engine) onTerminal(t testing.TB, c call) (r *running, keyboard io.Writer) {
	t.Helper()
	master, slave := terminal(t)
	defer slave.Close()
	r = e.call(t, c)
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = slave, slave, slave
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	r.begin()
	go func() { _, _ = io.Copy(&r.out, master) }()
	return r, master
}

// A terminal has the caller's size, Ctrl-C reaches the program, and its status comes back.
func TestTerminal(t *testing.T) {
	each(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		// Docker sets the size once the program runs.
		script := `trap 'echo caught; exit 9' INT; tty; until stty size | grep -x "33 101"; do sleep 0.05; done; echo ready; while :; do sleep 0.05; done`
		r, keyboard := c.onTerminal(t, c.run("run", []string{"--rm", "-i", "-t"}, "sh", "-c", script))
		r.says("ready")
		if out := r.out.String(); !strings.Contains(out, "/dev/") {
			t.Errorf("no terminal: %q", out)
		}
		fmt.Fprint(keyboard, "\x03")
		r.says("caught")
		if got := r.wait(); got.status != 9 {
			t.Errorf("%+v", got)
		}
	})
}

// exec -t is a terminal of its own in a running container. In a job its size stays unknown: srun loses what it is
// told while it connects.
func TestTerminalOfExec(t *testing.T) {
	each(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		c.start(":")
		size := `until stty size | grep -x "33 101"; do sleep 0.05; done; `
		if e.driver == "slurm" {
			size = ""
		}
		script := size + `tty; read -r line; echo "got $line"; read -r line; exit 6`
		r, keyboard := c.onTerminal(t, call{args: []string{"exec", "-i", "-t", c.token, "sh", "-c", script}, env: []string{"BERTH_TEST=" + c.token}})
		r.says("/dev/")
		fmt.Fprint(keyboard, "word\r")
		r.says("got word")
		fmt.Fprint(keyboard, "end\r")
		if got := r.wait(); got.status != 6 {
			t.Errorf("%+v", got)
		}
	})
}
