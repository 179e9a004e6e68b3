package slurm

import (
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

// terminal makes a pseudo terminal of 33 rows and 101 columns.
func terminal(t testing.TB) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { master.Close() })
	if err := unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0); err != nil {
		t.Fatal(err)
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err != nil {
		t.Fatal(err)
	}
	if err := unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 101}); err != nil {
		t.Fatal(err)
	}
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	return master, slave
}

// onTerminal starts a call whose standard streams are a terminal. What it writes is stdout.
func (s *site) onTerminal(t testing.TB, args ...string) (r *running, keyboard io.Writer) {
	t.Helper()
	master, slave := terminal(t)
	defer slave.Close()
	r = s.prepare(t, call{})
	r.cmd.Args = append(r.cmd.Args, args...)
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = slave, slave, slave
	r.cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	r.begin()
	go func() { _, _ = io.Copy(&r.out, master) }()
	return r, master
}

func TestTerminal(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		const script = `trap 'echo interrupted; exit 9' INT; tty; stty size; echo ready; while :; do sleep 0.1; done`
		job, keyboard := s.onTerminal(t, "srun", "--pty", "--container", s.bundle(t), "/bin/sh", "-c", script)
		job.says("ready")
		if out := job.out.String(); !strings.Contains(out, "/dev/") || !strings.Contains(out, "33 101") {
			t.Errorf("no terminal, or not its size: %q", out)
		}
		fmt.Fprint(keyboard, "\x03") // Ctrl-C
		job.says("interrupted")
		if r := job.wait(); r.status != 9 {
			t.Errorf("got %+v", r)
		}
	})
}

func TestTerminalInput(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		job, keyboard := s.onTerminal(t, "srun", "--pty", "--container", s.bundle(t), "/bin/sh", "-i")
		typeUntil(t, job, keyboard, "echo a$((40+2))b\r", "a42b")
		fmt.Fprint(keyboard, "exit 6\r")
		if r := job.wait(); r.status != 6 {
			t.Errorf("got %+v", r)
		}
	})
}

// An allocation without a command is a shell in the container.
func TestInteractiveStep(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		job, keyboard := s.onTerminal(t, "salloc", "--container", s.bundle(t))
		typeUntil(t, job, keyboard, "echo in=$(hostname)\r", "in=container")
		fmt.Fprint(keyboard, "exit 7\r")
		if r := job.wait(); r.status != 7 {
			t.Errorf("got %+v", r)
		}
	})
}

// typeUntil types a line when the shell has prompted for one, and waits for the effect.
func typeUntil(t testing.TB, job *running, keyboard io.Writer, line, effect string) {
	t.Helper()
	await.True(t, func() string { return "a prompt in " + job.out.String() }, func() bool {
		return strings.ContainsAny(job.out.String(), "#$")
	})
	fmt.Fprint(keyboard, line)
	job.says(effect)
}
