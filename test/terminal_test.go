package test

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

// openTerminal makes a terminal of 24 lines and 80 columns: pty(7).
func openTerminal(t testing.TB) (master, terminal *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	check(t, err)
	n, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	check(t, err)
	check(t, unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0))
	check(t, unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 24, Col: 80}))
	terminal, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", n), os.O_RDWR|unix.O_NOCTTY, 0)
	check(t, err)
	return master, terminal
}

// onTerminal makes a terminal the controlling one of a process that is about to be started.
func onTerminal(cmd *exec.Cmd, terminal *os.File) {
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
}

// noFlush is the start of a script that answers Ctrl-C: without it the kernel sends the signal first and
// drops what the terminal has not yet passed on after that, the answer included (termios(3), NOFLSH).
const noFlush = "stty noflsh; "

// --tty gives the program a terminal of the caller's size, and Ctrl-C reaches it.
func TestTerminal(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		master, terminal := openTerminal(t)
		defer master.Close()
		script := noFlush + `trap 'echo caught; exit 7' INT; stty size; echo ready; while :; do sleep 0.05; done`
		cmd := s.command(call{args: []string{"run", "--tty", s.bundle(t, script)}})
		onTerminal(cmd, terminal)
		bounded(t, cmd)
		terminal.Close()
		output := s.converse(t, master, []exchange{{"ready", func() { _, _ = master.WriteString("\x03") }}})
		_ = cmd.Wait()
		if status := statusOf(cmd.ProcessState); status != 7 || !strings.HasPrefix(output, "24 80\r\n") || !strings.Contains(output, "caught") {
			t.Errorf("status %d, %q", status, output)
		}
	})
}

// exchange is something to do once a word was read.
type exchange struct {
	word string
	do   func()
}

// converse reads until nobody has the terminal open, and returns what it read.
func (s *site) converse(t testing.TB, master *os.File, script []exchange) string {
	t.Helper()
	var all strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := master.Read(buf)
		if err != nil { // EIO at the end: pty(7)
			return all.String()
		}
		all.Write(buf[:n])
		if len(script) > 0 && strings.Contains(all.String(), script[0].word) {
			script[0].do()
			script = script[1:]
		}
	}
}

// bounded starts a program that is killed where the test's own time is up.
func bounded(t testing.TB, cmd *exec.Cmd) {
	t.Helper()
	check(t, cmd.Start())
	timer := time.AfterFunc(time.Until(await.End(t)), func() {
		if cmd.Process.Signal(syscall.Signal(0)) != nil {
			return // it has long been waited for
		}
		t.Errorf("%q does not end", cmd.Args)
		_ = cmd.Process.Kill()
	})
	t.Cleanup(func() { timer.Stop() })
}
