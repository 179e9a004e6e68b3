package init_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
)

// command is a running "probe signals" below berth-init.
type command struct {
	init                   *exec.Cmd
	pid, sid, group, front int         // as it sees them itself
	lines                  chan string // what it prints
}

// start starts cmd, which ends in "probe signals", and waits until its first line is there.
func start(t *testing.T, cmd *exec.Cmd) *command {
	t.Helper()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &command{init: cmd, lines: make(chan string, 100)}
	t.Cleanup(func() { // the command ends with berth-init
		cmd.Process.Kill()
		cmd.Wait()
	})
	go func() {
		defer close(c.lines)
		for s := bufio.NewScanner(out); s.Scan(); {
			c.lines <- s.Text()
		}
	}()
	fmt.Sscan(c.next(t), &c.pid, &c.sid, &c.group, &c.front)
	return c
}

func (c *command) next(t *testing.T) string {
	t.Helper()
	return await.Closed(t, "the command prints something", c.lines)
}

// expect checks that the next signals are these, and that no other comes before them.
func (c *command) expect(t *testing.T, signals ...syscall.Signal) {
	t.Helper()
	for _, sig := range signals {
		if got := c.next(t); got != strconv.Itoa(int(sig)) {
			t.Errorf("the command got signal %s, want %d (%v)", got, sig, sig)
		}
	}
}

func (c *command) signal(t *testing.T, sig syscall.Signal) {
	t.Helper()
	if err := syscall.Kill(c.init.Process.Pid, sig); err != nil {
		t.Fatal(err)
	}
}

// catchable is every signal that a program can take, the C library's own excepted.
func catchable() []syscall.Signal {
	var all []syscall.Signal
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if sig != syscall.SIGKILL && sig != syscall.SIGSTOP && (sig < 32 || sig > 34) {
			all = append(all, sig)
		}
	}
	return all
}

// eventually polls until the condition holds.
func eventually(t *testing.T, what string, condition func() bool) {
	t.Helper()
	await.True(t, func() string { return what }, condition)
}

// child returns the pid of the only child of a process, as the test sees it.
func child(t *testing.T, pid int) int {
	t.Helper()
	var found int
	eventually(t, "has berth-init a child", func() bool {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/task/%[1]d/children", pid))
		if errors.Is(err, os.ErrNotExist) {
			t.Skip("the kernel has no /proc/PID/task/TID/children")
		}
		n, _ := fmt.Sscan(string(data), &found)
		return n == 1
	})
	return found
}

// takesAll waits until no signal is left for berth-init to take.
func (c *command) takesAll(t *testing.T) {
	t.Helper()
	eventually(t, "has berth-init taken its signals", func() bool {
		data, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", c.init.Process.Pid))
		if err != nil {
			t.Fatal(err)
		}
		return strings.Contains(string(data), "ShdPnd:\t0000000000000000")
	})
}

// state returns the letter of /proc/PID/stat, or "" when there is no such process.
func state(pid int) string {
	data, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	_, rest, _ := strings.Cut(string(data), ") ")
	letter, _, _ := strings.Cut(rest, " ")
	return letter
}

func dead(pid int) bool { return state(pid) == "" || state(pid) == "Z" || state(pid) == "X" }

// places are the ways in which a runtime can start process 1, or what stands for it.
var places = map[string]func(*syscall.SysProcAttr){
	"in a session of others": func(*syscall.SysProcAttr) {},
	"leader of a session":    func(a *syscall.SysProcAttr) { a.Setsid = true },
	"process 1": func(a *syscall.SysProcAttr) {
		a.Setsid = true
		a.Cloneflags = syscall.CLONE_NEWUSER | syscall.CLONE_NEWPID
		a.UidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getuid(), Size: 1}}
		a.GidMappings = []syscall.SysProcIDMap{{ContainerID: 0, HostID: os.Getgid(), Size: 1}}
	},
}

// inPlaces runs a test of berth-init with "probe signals" in every place.
func inPlaces(t *testing.T, args []string, test func(*testing.T, *command)) {
	p := need(t)
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			cmd := call{args: append(args, "--", p.probe, "signals")}.command(t)
			place(cmd.SysProcAttr)
			if cmd.SysProcAttr.Cloneflags != 0 {
				needNamespaces(t, *cmd.SysProcAttr)
			}
			test(t, start(t, cmd))
		})
	}
}

func needNamespaces(t *testing.T, attr syscall.SysProcAttr) {
	t.Helper()
	cmd := exec.Command("/bin/true")
	cmd.SysProcAttr = &attr
	if err := cmd.Run(); err != nil {
		t.Skipf("no user and pid namespaces for this user: %v", err)
	}
}

// TestProcessID: in a pid namespace of its own, the command has the id that was asked for.
func TestProcessID(t *testing.T) {
	inPlaces(t, []string{"--init", "--pid", "40"}, func(t *testing.T, c *command) {
		if alone := c.init.SysProcAttr.Cloneflags != 0; alone && c.pid != 40 || c.pid < 40 {
			t.Errorf("the command has process id %d", c.pid)
		}
	})
}

func TestForwardedSignals(t *testing.T) {
	inPlaces(t, []string{"--init", "--signals=forward"}, func(t *testing.T, c *command) {
		for _, sig := range catchable() {
			c.signal(t, sig)
			c.expect(t, sig)
		}
		c.signal(t, syscall.SIGTERM) // nothing came twice
		c.expect(t, syscall.SIGTERM)
	})
}

// A sender with an id in the container's user namespace is the runtime or the job: what it sends is
// passed on. In the node's own user namespace it could be Slurm, which signals every process itself.
func TestDirectSignals(t *testing.T) {
	inPlaces(t, []string{"--init", "--signals=direct"}, func(t *testing.T, c *command) {
		init := c.init.Process.Pid
		if ns, _ := os.Readlink(fmt.Sprintf("/proc/%d/ns/user", init)); ns != nodesUserns {
			for _, sig := range catchable() {
				c.signal(t, sig)
				c.expect(t, sig)
			}
			return
		}
		for _, sig := range catchable() {
			c.signal(t, sig)
		}
		c.takesAll(t)
		for _, sig := range catchable() {
			if err := syscall.Kill(child(t, init), sig); err != nil {
				t.Fatal(err)
			}
			c.expect(t, sig)
		}
		if dead(init) {
			t.Error("berth-init is dead")
		}
	})
}

func TestGroupSignalsComeOnce(t *testing.T) {
	p := need(t)
	cmd := call{args: []string{"--init", "--", p.probe, "signals", "10"}}.command(t)
	cmd.SysProcAttr.Setsid = true
	c := start(t, cmd)
	c.expect(t, syscall.SIGUSR1) // what it sent to its own group
	c.signal(t, syscall.SIGTERM)
	c.expect(t, syscall.SIGTERM)
	if c.sid != c.pid || c.group != c.pid {
		t.Errorf("process %d is in session %d and group %d, want its own", c.pid, c.sid, c.group)
	}
}

func TestStopAndContinue(t *testing.T) {
	inPlaces(t, []string{"--init"}, func(t *testing.T, c *command) {
		pid := child(t, c.init.Process.Pid)
		if err := syscall.Kill(pid, syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
		eventually(t, "is the command stopped", func() bool { return state(pid) == "T" })
		c.signal(t, syscall.SIGUSR1)
		c.signal(t, syscall.SIGCONT)
		got := []string{c.next(t), c.next(t)}
		if slices.Sort(got); !slices.Equal(got, []string{"10", "18"}) {
			t.Errorf("after it went on the command got signals %v", got)
		}
		if dead(c.init.Process.Pid) {
			t.Error("berth-init took a stopped command for one that ended")
		}
	})
}

func TestStatusOfDeathBySignal(t *testing.T) {
	p := need(t)
	file := write(t, 0o644, "left over from before\n", openDir(t), "status")
	for _, sig := range append(catchable(), syscall.SIGKILL) {
		switch sig {
		case syscall.SIGCHLD, syscall.SIGCONT, syscall.SIGURG, syscall.SIGWINCH, syscall.SIGTSTP, syscall.SIGTTIN, syscall.SIGTTOU:
			continue // do not end a process
		}
		got := run(t, "--init", "--status", file, "--", p.probe, "die", strconv.Itoa(int(sig)))
		want := 128 + int(sig)
		if got != (result{status: want}) {
			t.Errorf("%v: got %+v, want status %d", sig, got, want)
		}
		if text, _ := os.ReadFile(file); string(text) != fmt.Sprintln(want) {
			t.Errorf("%v: status file %q, want %d", sig, text, want)
		}
	}
}

func TestStatusFile(t *testing.T) {
	p := need(t)
	dir := openDir(t)
	file := write(t, 0o644, "", dir, "status")
	for _, want := range []int{0, 7, 10, 99, 100, 255} {
		run(t, "--init", "--status", file, "--", p.probe, "exit", strconv.Itoa(want))
		if text, _ := os.ReadFile(file); string(text) != fmt.Sprintln(want) {
			t.Errorf("status file %q, want %d", text, want)
		}
	}
	run(t, "--init", "--status", file, "--", "/no/such")
	if text, _ := os.ReadFile(file); string(text) != "127\n" {
		t.Errorf("status file %q, want 127", text)
	}
	if got := run(t, "--init", "--status", "/dev/full", "--", p.probe, "exit", "3"); got.status != 3 {
		t.Errorf("with a full status file: got %+v", got)
	}
	if err := os.Symlink(file, filepath.Join(dir, "link")); err != nil {
		t.Fatal(err)
	}
	for _, bad := range []string{dir, dir + "/none", dir + "/link"} {
		got := run(t, "--init", "--status", bad, "--", p.probe, "cat", "/proc/self/cmdline")
		if got.status != 125 || got.stdout != "" || !strings.HasPrefix(got.stderr, `berth-init: cannot open "`+bad+`": `) {
			t.Errorf("--status %s: got %+v", bad, got)
		}
	}
}

func TestOrphansAreReaped(t *testing.T) {
	p := need(t)
	for name, place := range places {
		t.Run(name, func(t *testing.T) {
			cmd := call{args: []string{"--init", "--", p.probe, "orphans", "50"}}.command(t)
			place(cmd.SysProcAttr)
			if cmd.SysProcAttr.Cloneflags != 0 {
				needNamespaces(t, *cmd.SysProcAttr)
			}
			if err := cmd.Run(); err != nil {
				t.Errorf("the command waits for its orphans: %v", err)
			}
		})
	}
}

// A parent that ignores SIGCHLD passes that on; the kernel then forgets children's statuses.
func TestIgnoredChildSignal(t *testing.T) {
	p := need(t)
	got := call{args: []string{"blocking", p.init, "--init", "--", p.probe, "exit", "9"}, exe: p.probe}.run(t)
	if got != (result{status: 9}) {
		t.Errorf("got %+v", got)
	}
}

func TestEndsWithTheCommand(t *testing.T) {
	need(t)
	cmd := call{args: []string{"--init", "--", "sh", "-c", "sleep 1000 <&- >&- 2>&- & echo $!; exit 5"}}.command(t)
	out, err := cmd.Output()
	pid, _ := strconv.Atoi(strings.TrimSpace(string(out)))
	if pid == 0 {
		t.Fatalf("output %q, %v", out, err)
	}
	if status(cmd.ProcessState) != 5 || dead(pid) {
		t.Errorf("%v, and the process it left is in state %q", cmd.ProcessState, state(pid))
	}
	syscall.Kill(pid, syscall.SIGKILL)
}

func TestCommandEndsWithItsParent(t *testing.T) {
	p := need(t)
	c := start(t, call{args: []string{"--init", "--", p.probe, "signals"}}.command(t))
	c.init.Process.Kill()
	eventually(t, "does the command die", func() bool { return dead(c.pid) })
}

// A reader must see the end of a pipe when the command closes its side.
func TestHoldsNoDescriptors(t *testing.T) {
	p := need(t)
	cmd := call{args: []string{"--init", "--", p.probe, "closing"}}.command(t)
	stdin, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer killAtEnd(t, cmd)()
	if data, err := io.ReadAll(stdout); err != nil || len(data) != 0 {
		t.Errorf("standard output: %q, %v", data, err)
	}
	if dead(cmd.Process.Pid) {
		t.Error("standard output ended only with the command")
	}
	eventually(t, "has berth-init let go of all descriptors", func() bool {
		fds, err := os.ReadDir(fmt.Sprintf("/proc/%d/fd", cmd.Process.Pid))
		return err == nil && len(fds) == 0
	})
	stdin.Close()
	if err := cmd.Wait(); err != nil {
		t.Error(err)
	}
}
