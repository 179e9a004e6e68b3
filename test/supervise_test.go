package test

import (
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

// eachSupervised tests a container of a driver that can only create and start, over each runtime.
func eachSupervised(t *testing.T, test func(t *testing.T, s *site)) {
	t.Helper()
	for _, runtime := range []string{"crun", "runc"} {
		t.Run(runtime, func(t *testing.T) {
			t.Parallel()
			need(t, runtime, "busybox")
			s := newSite(t)
			s.misbehaving(t, "create")
			s.driver = "create"
			s.configure(t, fmt.Sprintf("[drivers.create]\nruntime = %q\n", runtime))
			test(t, s)
		})
	}
}

// supervising starts a container, which is deleted at the end of the test if it is still there.
func (s *site) supervising(t *testing.T, id, bundle string) *exec.Cmd {
	t.Helper()
	cmd := s.command(call{args: []string{"run", "--id", id, bundle}})
	cmd.Stdin = nil
	bounded(t, cmd)
	t.Cleanup(func() { s.berth(t, "delete", "--force", id) })
	return cmd
}

func TestSupervisedStatus(t *testing.T) {
	t.Parallel()
	eachSupervised(t, func(t *testing.T, s *site) {
		for status, script := range map[int]string{
			0: "true", 1: "false", 2: "exit 2", 42: "exit 42", 255: "exit 255", 127: "no-such-command",
			137: "kill -KILL $$; sleep 100000", 143: "kill -TERM $$; sleep 100000",
		} {
			if status > 128 { // process 1 of its namespace does not die of its own signals
				r := s.berth(t, "run", "--init", s.bundle(t, script))
				if r.status != status {
					t.Errorf("%s: want %d, got %+v", script, status, r)
				}
				continue
			}
			if r := s.berth(t, "run", s.bundle(t, script)); r.status != status || r.stdout != "" {
				t.Errorf("%s: want %d, got %+v", script, status, r)
			}
		}
	})
}

func TestSupervisedStreams(t *testing.T) {
	t.Parallel()
	eachSupervised(t, func(t *testing.T, s *site) {
		r := s.do(t, call{args: []string{"run", s.bundle(t, "cat; echo err >&2")}, stdin: strings.Repeat("line\n", 100_000)})
		if r.status != 0 || r.stdout != strings.Repeat("line\n", 100_000) || r.stderr != "err\n" {
			t.Errorf("status %d, %d bytes, %q", r.status, len(r.stdout), r.stderr)
		}
	})
}

// Every signal that can be caught reaches the program, once and in order.
func TestSupervisedSignals(t *testing.T) {
	t.Parallel()
	eachSupervised(t, func(t *testing.T, s *site) {
		sent := []syscall.Signal{unix.SIGUSR1, unix.SIGHUP, unix.SIGUSR2, unix.SIGINT, unix.SIGQUIT, unix.SIGALRM, unix.SIGCONT, unix.SIGTERM}
		var script strings.Builder
		for _, sig := range sent {
			fmt.Fprintf(&script, "trap 'echo %d' %d; ", sig, sig)
		}
		fmt.Fprintf(&script, "trap 'echo %d; exit 7' %d; echo ready; while :; do sleep 0.01; done", unix.SIGTERM, unix.SIGTERM)
		out := filepath.Join(t.TempDir(), "out")
		f, err := os.Create(out)
		check(t, err)
		defer f.Close()
		cmd := s.command(call{args: []string{"run", s.bundle(t, script.String())}})
		cmd.Stdout = f
		bounded(t, cmd)
		want := "ready\n"
		eventually(t, "the program is ready", func() bool { return read(out) == want })
		for _, sig := range sent {
			check(t, cmd.Process.Signal(sig))
			want += strconv.Itoa(int(sig)) + "\n"
			eventually(t, "the program has got "+unix.SignalName(sig), func() bool { return strings.HasPrefix(read(out), want) })
		}
		_ = cmd.Wait()
		if got := statusOf(cmd.ProcessState); got != 7 || read(out) != want {
			t.Errorf("status %d, %q instead of %q", got, read(out), want)
		}
	})
}

func TestSupervisedTerminal(t *testing.T) {
	t.Parallel()
	eachSupervised(t, func(t *testing.T, s *site) {
		master, terminal := openTerminal(t)
		defer master.Close()
		check(t, unix.IoctlSetWinsize(int(terminal.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 101}))
		before, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
		check(t, err)
		script := noFlush + `stty size; trap 'echo interrupted; exit 9' INT; trap 'stty size' WINCH; read line; echo "got $line"; while :; do sleep 0.01; done`
		cmd := s.command(call{args: []string{"run", "--tty", s.bundle(t, script)}})
		cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
		bounded(t, cmd)
		seen := make(chan string, 64)
		go func() {
			buf := make([]byte, 4096)
			for {
				n, err := master.Read(buf)
				if err != nil {
					return
				}
				seen <- string(buf[:n])
			}
		}()
		var all strings.Builder
		shows := func(text string) {
			t.Helper()
			for !strings.Contains(all.String(), text) {
				all.WriteString(await.Closed(t, fmt.Sprintf("%q after %q", text, all.String()), seen))
			}
		}
		shows("33 101")
		fmt.Fprint(master, "hello\r")
		shows("got hello")
		check(t, unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: 44, Col: 102}))
		shows("44 102")
		fmt.Fprint(master, "\x03") // Ctrl-C
		shows("interrupted")
		_ = cmd.Wait()
		if got := statusOf(cmd.ProcessState); got != 9 {
			t.Errorf("status %d", got)
		}
		after, err := unix.IoctlGetTermios(int(terminal.Fd()), unix.TCGETS)
		check(t, err)
		if *after != *before {
			t.Errorf("the terminal is not as it was: %+v, %+v", after, before)
		}
		terminal.Close()
	})
}

// A supervised container is one like any other for the rest of berth.
func TestSupervisedLifecycle(t *testing.T) {
	t.Parallel()
	eachSupervised(t, func(t *testing.T, s *site) {
		id := s.id()
		cmd := s.supervising(t, id, s.bundle(t, "sleep 100000"))
		eventually(t, "it runs", func() bool { return strings.Contains(s.berth(t, "state", id).stdout, `"running"`) })
		if out := s.ok(t, "ps", "--json"); !strings.Contains(out, id) {
			t.Errorf("%s", out)
		}
		s.ok(t, "kill", id, "KILL")
		_ = cmd.Wait()
		if got := statusOf(cmd.ProcessState); got != 137 {
			t.Errorf("status %d", got)
		}
		if r := s.berth(t, "state", id); r.status != 125 {
			t.Errorf("%+v", r)
		}
	})
}

// Somebody else deletes it: the supervisor ends with the status that this gives the container.
func TestSupervisedDeleted(t *testing.T) {
	t.Parallel()
	eachSupervised(t, func(t *testing.T, s *site) {
		id := s.id()
		cmd := s.supervising(t, id, s.bundle(t, "sleep 100000"))
		eventually(t, "it runs", func() bool { return strings.Contains(s.berth(t, "state", id).stdout, `"running"`) })
		s.ok(t, "delete", "--force", id)
		_ = cmd.Wait()
		if got := statusOf(cmd.ProcessState); got != 137 {
			t.Errorf("status %d", got)
		}
	})
}

// SIGKILL for the supervisor leaves a container that delete ends.
func TestSupervisorKilled(t *testing.T) {
	t.Parallel()
	eachSupervised(t, func(t *testing.T, s *site) {
		id := s.id()
		cmd := s.supervising(t, id, s.bundle(t, "sleep 100000"))
		eventually(t, "it runs", func() bool { return strings.Contains(s.berth(t, "state", id).stdout, `"running"`) })
		check(t, cmd.Process.Kill())
		_ = cmd.Wait()
		s.ok(t, "delete", "--force", id)
	})
}

// What cannot be created or started is 125 and one line, and leaves nothing.
func TestSupervisedFailures(t *testing.T) {
	t.Parallel()
	eachSupervised(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t, "true")
		s.configure(t, fmt.Sprintf("[drivers.create]\nruntime = %q\nfault = \"start\"\n", filepath.Base(t.Name())))
		refused(t, s.berth(t, "run", bundle), "starting the container: ", "out of order")
		s.configure(t, "[drivers.create]\nruntime = \"false\"\n")
		refused(t, s.berth(t, "run", bundle), "creating the container: ")
		s.configure(t, "[drivers.create]\nruntime = \"no-such-runtime\"\n")
		refused(t, s.berth(t, "run", bundle), "executing /usr/bin/no-such-runtime")
	})
}

// started says whether the supervisor of the container that writes to ID.out has started it: then others may delete it,
// and it has given up the lock of the container's directory.
func started(out string) bool {
	dir, err := os.Open(filepath.Join(home(), strings.TrimSuffix(filepath.Base(out), ".out")))
	if err != nil {
		return false
	}
	defer dir.Close()
	return unix.Flock(int(dir.Fd()), unix.LOCK_EX|unix.LOCK_NB) == nil
}

// TERM before the start ends it all, by that signal; after it, the signal is the program's.
func TestSupervisedInterrupted(t *testing.T) {
	t.Parallel()
	eachSupervised(t, func(t *testing.T, s *site) {
		runtime := filepath.Base(t.Name())
		reached := s.path("reached")
		bundle := s.bundle(t, "trap 'exit 3' TERM; echo ready; while :; do sleep 0.01; done")
		// interrupted sends TERM where come says so, and returns the status.
		interrupted := func(t *testing.T, come func(out string) bool) (status int) {
			id := s.id()
			out := s.write(t, id+".out", "", 0o644)
			cmd := s.command(call{args: []string{"run", "--id", id, bundle}})
			f := appending(t, out)
			defer f.Close()
			cmd.Stdin, cmd.Stdout = nil, f
			bounded(t, cmd)
			eventually(t, "it comes so far", func() bool { return come(out) })
			check(t, cmd.Process.Signal(unix.SIGTERM))
			ended := make(chan error, 1)
			go func() { ended <- cmd.Wait() }()
			eventually(t, "it ends", func() bool {
				if read(out) == "ready\n" { // a program that was without its trap has not seen the first
					_ = cmd.Process.Signal(unix.SIGTERM)
				}
				return len(ended) > 0
			})
			return statusOf(cmd.ProcessState)
		}
		for _, moment := range []string{"create", "start"} {
			s.configure(t, fmt.Sprintf("%s[drivers.create]\nruntime = %q\nfault = \"hang-%s\"\nreached = %q\n", deadlines(""), runtime, moment, reached))
			if status := interrupted(t, func(string) bool { return exists(reached) }); status != 143 {
				t.Errorf("in %s: status %d", moment, status)
			}
			check(t, os.Remove(reached))
		}
		s.configure(t, fmt.Sprintf("%s[drivers.create]\nruntime = %q\n", deadlines(""), runtime))
		if status := interrupted(t, func(out string) bool { return read(out) == "ready\n" && started(out) }); status != 3 {
			t.Errorf("after the start: status %d", status)
		}
		long := time.Duration(0)
		atRandom(t, func(t *testing.T, r *rand.Rand) {
			if long == 0 {
				long = s.took(t, "run", s.bundle(t, "true"))
			}
			if status := interrupted(t, func(string) bool { sometime(r, long); return true }); status != 143 && status != 3 {
				t.Errorf("status %d", status)
			}
		})
	})
}
