package test

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// F-20: SIGKILL of the host, at any moment: the next delete leaves nothing.
func TestKilledAtRandomMoments(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		for _, op := range []string{"run", "create"} {
			for range 12 {
				id := s.id()
				cmd := s.command(call{args: []string{op, "--id", id, s.bundle(t, "sleep 600")}})
				cmd.Stdin = nil
				check(t, cmd.Start())
				time.Sleep(time.Duration(rand.IntN(120)) * time.Millisecond) // the moment is what is random
				check(t, cmd.Process.Kill())
				_ = cmd.Wait()
				s.ok(t, "delete", "--force", id)
				if left := s.stillThere(); left != "" {
					t.Fatalf("%s: left after delete: %s", op, left)
				}
			}
		}
		s.berth(t, "gc")
	})
}

// stillThere waits for what is just ending, and says what of the site does not end.
func (s *site) stillThere() string {
	var left []string
	for end := time.Now().Add(10 * time.Second); time.Now().Before(end); time.Sleep(10 * time.Millisecond) {
		if left = s.left(); len(left) == 0 {
			return ""
		}
	}
	return strings.Join(left, "\n")
}

// F-20, S-33: SIGKILL at the nth call of each kind that changes something or waits for somebody.
func TestKilledAtSystemCalls(t *testing.T) {
	t.Parallel()
	needRoot(t)
	need(t, "runc", "busybox", "strace")
	s := newSite(t)
	s.driver = "runc"
	bundle := s.bundle(t, "true")
	for _, name := range []string{
		"mkdirat", "openat", "renameat", "write", "flock", "unlinkat", "socket", "connect", "clone", "execve", "prctl", "fcntl", "wait4", "fchmod",
	} {
		for _, when := range []int{1, 2, 4, 8} {
			id := s.id()
			inject := []string{"strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=" + name, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", name, when)}
			s.do(t, call{args: []string{"run", "--id", id, bundle}, prefix: inject})
			s.ok(t, "delete", "--force", id)
			if left := s.stillThere(); left != "" {
				t.Errorf("SIGKILL at %s %d: left after delete: %s", name, when, left)
			}
			id = s.id()
			s.create(t, id, "sleep 600")
			s.do(t, call{args: []string{"delete", "--force", id}, prefix: inject})
			s.ok(t, "delete", "--force", id)
			if left := s.stillThere(); left != "" {
				t.Errorf("SIGKILL of delete at %s %d: left after another: %s", name, when, left)
			}
		}
	}
	s.berth(t, "gc")
}

// F-20: where the driver waits for nobody any more, it ends too.
func TestDriverDiesWithItsHost(t *testing.T) {
	need(t, "busybox")
	s := newSite(t)
	s.driver = "bad"
	s.misbehaving(t, "bad")
	s.configure(t, "[drivers.bad]\nat = \"run\"\nfault = \"hang\"\n")
	id := s.id()
	cmd := s.command(call{args: []string{"run", "--id", id, s.bundle(t, "")}})
	cmd.Stdin = nil
	check(t, cmd.Start())
	s.awaitDriver(t, "bad")
	check(t, cmd.Process.Kill())
	_ = cmd.Wait()
	eventually(t, "the driver ends", func() bool { return len(s.drivers("bad")) == 0 })
	if out := s.berth(t, "gc").stdout; !strings.Contains(out, id+"\n") {
		t.Errorf("gc prints %q", out)
	}
}

// drivers are the processes of a driver of the site.
func (s *site) drivers(name string) []int {
	var pids []int
	for _, pid := range s.processes() {
		if strings.Contains(read(fmt.Sprintf("/proc/%d/cmdline", pid)), "berth-driver-"+name) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func (s *site) awaitDriver(t testing.TB, name string) {
	t.Helper()
	eventually(t, "driver "+name+" runs", func() bool { return len(s.drivers(name)) > 0 })
}

// F-22: signals before the start end berth by that signal, and nothing is left.
func TestInterruptedBeforeTheStart(t *testing.T) {
	for phase, configure := range map[string]func(t *testing.T, s *site){
		"handshake": func(t *testing.T, s *site) {
			s.configure(t, "[deadlines]\nhandshake = \"5m\"\n")
			s.write(t, "berth-driver-bad", "#!/bin/sh\nsleep 600\n", 0o755)
		},
		"run": func(t *testing.T, s *site) {
			s.misbehaving(t, "bad")
			s.configure(t, "[drivers.bad]\nat = \"run\"\nfault = \"hang\"\n")
		},
		"check": func(t *testing.T, s *site) {
			s.misbehaving(t, "bad")
			s.configure(t, "default_driver = \"auto\"\n[deadlines]\ncheck = \"5m\"\n[drivers.bad]\nat = \"check\"\nfault = \"stop\"\n")
			s.driver = ""
		},
	} {
		t.Run(phase, func(t *testing.T) {
			t.Parallel()
			need(t, "busybox")
			s := newSite(t)
			s.driver = "bad"
			configure(t, s)
			for _, sig := range []unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM} {
				var errs strings.Builder
				cmd := s.command(call{args: []string{"run", "--id", s.id(), s.bundle(t, "")}})
				cmd.Stdin, cmd.Stderr = nil, &errs
				bounded(t, cmd)
				s.awaitDriver(t, "bad")
				check(t, cmd.Process.Signal(sig))
				_ = cmd.Wait()
				if status := statusOf(cmd.ProcessState); status != 128+int(sig) || strings.Count(errs.String(), "\n") > 1 {
					t.Errorf("%v: status %d, stderr %q", sig, status, errs.String())
				}
				if n := len(s.drivers("bad")); n > 0 {
					t.Errorf("%v: %d drivers are left", sig, n)
				}
			}
		})
	}
}

// F-22: after the start the signal is the program's, once, and the status is its answer.
func TestSignalsReachTheProgram(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		for _, sig := range []unix.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM, unix.SIGUSR1, unix.SIGUSR2} {
			script := fmt.Sprintf("n=0; trap 'n=$((n+1))' %d; echo ready >/work/ready; while test $n = 0; do sleep 0.02; done; sleep 0.1; exit $((40+n))", int(sig))
			id := s.id()
			work := s.mkdir(t, id)
			cmd := s.command(call{args: []string{"run", "--id", id, "--mount", work + ":/work", s.bundle(t, script)}})
			cmd.Stdin = nil
			bounded(t, cmd)
			eventually(t, "the program is ready", func() bool { return read(work+"/ready") != "" })
			check(t, cmd.Process.Signal(sig))
			_ = cmd.Wait()
			if status := statusOf(cmd.ProcessState); status != 41 {
				t.Errorf("%v: status %d", sig, status)
			}
		}
	})
}
