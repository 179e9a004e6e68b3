package init_test

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"syscall"
	"testing"
	"unsafe"
)

// openTerminal returns both ends of a new pseudoterminal.
func openTerminal(t *testing.T) (master, slave *os.File) {
	t.Helper()
	master, err := os.OpenFile("/dev/ptmx", os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudoterminal: %v", err)
	}
	t.Cleanup(func() { master.Close() })
	var number, unlocked int32
	ioctl(t, master, syscall.TIOCSPTLCK, unsafe.Pointer(&unlocked))
	ioctl(t, master, syscall.TIOCGPTN, unsafe.Pointer(&number))
	slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|syscall.O_NOCTTY, 0)
	if err != nil {
		t.Skipf("no pseudoterminal: %v", err)
	}
	t.Cleanup(func() { slave.Close() })
	return master, slave
}

func ioctl(t *testing.T, f *os.File, request uintptr, arg unsafe.Pointer) {
	t.Helper()
	if _, _, errno := syscall.Syscall(syscall.SYS_IOCTL, f.Fd(), request, uintptr(arg)); errno != 0 {
		t.Fatalf("ioctl %#x of %s: %v", request, f.Name(), errno)
	}
}

func press(t *testing.T, master *os.File, key string) {
	t.Helper()
	if _, err := master.WriteString(key); err != nil {
		t.Fatal(err)
	}
}

const ctrlC, ctrlZ, ctrlBackslash = "\x03", "\x1a", "\x1c"

// onTerminal makes cmd the leader of a session whose terminal is its standard input.
func onTerminal(t *testing.T, cmd *exec.Cmd) (master *os.File) {
	t.Helper()
	master, slave := openTerminal(t)
	cmd.Stdin = slave
	cmd.SysProcAttr.Setsid, cmd.SysProcAttr.Setctty, cmd.SysProcAttr.Ctty = true, true, 0
	return master
}

func TestTerminalSignals(t *testing.T) {
	p := need(t)
	for name, form := range forms {
		t.Run(name, func(t *testing.T) {
			cmd := call{args: append(form, "--", p.probe, "signals")}.command(t)
			master := onTerminal(t, cmd)
			c := start(t, cmd)
			if c.sid != c.pid || c.group != c.pid || c.front != c.pid {
				t.Errorf("process %d: session %d, group %d, foreground %d", c.pid, c.sid, c.group, c.front)
			}
			press(t, master, ctrlC)
			c.expect(t, syscall.SIGINT)
			press(t, master, ctrlBackslash)
			c.expect(t, syscall.SIGQUIT)
			press(t, master, ctrlZ)
			c.expect(t, syscall.SIGTSTP)
			ioctl(t, master, syscall.TIOCSWINSZ, unsafe.Pointer(&[4]uint16{50, 100}))
			c.expect(t, syscall.SIGWINCH)
			press(t, master, ctrlC)
			c.expect(t, syscall.SIGINT)

			master.Close() // the user's terminal goes away
			got := []string{c.next(t), c.next(t)}
			if slices.Sort(got); !slices.Equal(got, []string{"1", "18"}) {
				t.Errorf("on hang-up the command got %v", got)
			}
		})
	}
}

// Ctrl-Z must not stop a command that nobody could make go on, as it would not without --init.
func TestCtrlZIsIgnoredWithoutAShell(t *testing.T) {
	need(t)
	cmd := call{args: []string{"--init", "--", "sleep", "1000"}}.command(t)
	master := onTerminal(t, cmd)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer cmd.Wait()
	defer cmd.Process.Kill()
	pid := child(t, cmd.Process.Pid)
	eventually(t, "does the command sleep", func() bool { return comm(pid) == "sleep" })
	press(t, master, ctrlZ+ctrlC)
	cmd.Wait()
	if got := status(cmd.ProcessState); got != 130 {
		t.Errorf("status %d, want 130", got)
	}
}

func comm(pid int) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/comm", pid))
	return strings.TrimSpace(string(data))
}

// A shell with job control waits for berth-init, so that has to stop and go on with the command.
func TestJobControl(t *testing.T) {
	p := need(t)
	for _, mode := range []string{"forward", "direct"} {
		t.Run(mode, func(t *testing.T) {
			script := fmt.Sprintf(`set -m; '%s' --init --signals=%s -- sleep 1000; echo stopped; fg >&2; echo "ended $?"`, p.init, mode)
			cmd := call{args: []string{"-c", script}, exe: "/bin/sh"}.command(t)
			master := onTerminal(t, cmd)
			out, err := cmd.StdoutPipe()
			if err != nil {
				t.Fatal(err)
			}
			if err := cmd.Start(); err != nil {
				t.Fatal(err)
			}
			defer cmd.Wait()
			defer cmd.Process.Kill()
			// The terminal's foreground group is berth-init, once its command runs.
			var job int32
			ready := func() bool {
				ioctl(t, master, syscall.TIOCGPGRP, unsafe.Pointer(&job))
				return int(job) != cmd.Process.Pid && comm(int(job)) == "berth-init" &&
					comm(child(t, int(job))) == "sleep" && state(int(job)) == "S" && state(child(t, int(job))) == "S"
			}
			eventually(t, "does the job run", ready)
			lines := bufio.NewScanner(out)
			press(t, master, ctrlZ)
			if lines.Scan(); lines.Text() != "stopped" {
				t.Fatalf("the shell says %q", lines.Text())
			}
			eventually(t, "does the job go on", ready)
			press(t, master, ctrlC)
			if lines.Scan(); lines.Text() != "ended 130" {
				t.Errorf("the shell says %q", lines.Text())
			}
		})
	}
}
