package drivertest

import (
	"fmt"
	"os"
	"strings"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/pty"
)

func ttyCases() []Case {
	return []Case{
		{"tty/size",
			"With terminal set the program's standard streams are a terminal of the size that config.json names after the caller's; whether it follows when that changes is noted.",
			"crun 1.8 makes a terminal of 0 by 0 where config.json has no consoleSize, and does not follow.",
			(*trial).ttySize},
		{"tty/ctrl-c",
			"Ctrl-C on the caller's terminal reaches the program as one SIGINT.",
			"SIGINT that ends the relay and leaves the program running, or that arrives twice.",
			(*trial).ttyInterrupt},
	}
}

// terminal is a task on a pseudo-terminal of the kit's.
type terminal struct {
	*task
	master *os.File
	screen *stream
}

func (t *trial) onTerminal(args ...string) terminal {
	master, slave, err := pty.Open(37, 113)
	if err != nil {
		t.Skipf("no pseudo-terminals here: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	c := t.container(args, func(spec *specs.Spec) {
		spec.Process.Terminal, spec.Process.ConsoleSize = true, &specs.Box{Height: 37, Width: 113}
	})
	task := c.launch(launcher.Request{}, streams{stdin: slave, stdout: slave, stderr: slave, tty: true})
	slave.Close()
	screen := newStream(master)
	task.out = screen
	return terminal{task: task, master: master, screen: screen}
}

func (t *trial) ttySize() {
	term := t.onTerminal("wait", "0")
	term.lacks()
	term.ready()
	if got := term.screen.String(); !strings.Contains(got, "ready 37x113") {
		t.Errorf("the program's terminal is not 37x113: %q", got)
	}
	t.must(pty.Resize(term.master, 41, 97))
	t.passed(term)
	t.hangUp(term, 0)
	// The program says the size at every signal, and at its end.
	if !strings.Contains(term.screen.String(), " 41x97") {
		t.Notef("the program's terminal keeps the size that it began with when the caller's changes")
	}
}

// passed types Ctrl-\ and waits until its signal has reached the program, and with it whatever was typed before. (A
// signal to the task would not do: with a terminal, Singularity passes none on.)
func (t *trial) passed(term terminal) {
	if t.lacks(Signals) {
		return
	}
	_, err := term.master.WriteString("\x1c")
	t.must(err)
	t.eventually("the program gets SIGQUIT", func() bool { return term.got(syscall.SIGQUIT) > 0 || term.hasEnded() })
}

// hangUp types the end of input, which ends the program.
func (t *trial) hangUp(term terminal, status int) {
	_, err := term.master.WriteString("\x04")
	t.must(err)
	if got := term.wait(); got != status {
		t.Errorf("status %d instead of %d: %s", got, status, term.describe())
	}
}

func (t *trial) ttyInterrupt() {
	term := t.onTerminal("wait", "42")
	term.lacks()
	term.ready()
	_, err := term.master.WriteString("\x03")
	t.must(err)
	if reason, lacks := t.cfg.Lacks[Signals]; lacks {
		t.interruptLacking(term, reason)
	}
	t.eventually("the program gets SIGINT", func() bool { return term.got(syscall.SIGINT) > 0 })
	t.passed(term) // after a second SIGINT, were there one
	t.hangUp(term, 42)
	if n := term.got(syscall.SIGINT); n != 1 {
		t.Errorf("the program got SIGINT %d times: %q", n, term.screen)
	}
}

// interruptLacking checks that Ctrl-C at least ends the whole container.
func (t *trial) interruptLacking(term terminal, reason string) {
	if !t.until(term.hasEnded) {
		t.Fatalf("Ctrl-C does not end the task: %s", term.describe())
	}
	if got := term.status(); got != 128+int(syscall.SIGINT) {
		t.Errorf("status %d instead of 130: %s", got, term.describe())
	}
	t.eventually("the program has ended with the task", func() bool { return len(term.c.programs()) == 0 })
	t.Lacks("%s (checked: Ctrl-C ends the container)", fmt.Sprint(reason))
}
