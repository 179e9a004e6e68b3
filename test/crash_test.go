package test

import (
	"fmt"
	"io/fs"
	"math/rand/v2"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// F-20: SIGKILL of the host, at any moment: the next delete leaves nothing. Each named moment lasts until the
// kill, so that it is the moment meant.
func TestKilledWhileItStarts(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		reached := s.path("reached")
		// standIn replaces a program by one that stops where a call has that word in it.
		standIn := func(name, word, before string) string {
			text := fmt.Sprintf("#!/bin/sh\ncase \" $* \" in *%q*) %s :>%s; exec sleep 100000;; esac\nexec /usr/bin/%s \"$@\"\n", word, before, reached, s.driver)
			return s.write(t, name, text, 0o755)
		}
		runtime := func(word, before string) {
			s.configure(t, fmt.Sprintf("%s[drivers.%s]\nruntime = %q\n", deadlines(""), s.driver, standIn("runtime", word, before)))
		}
		for _, op := range []string{"run", "create"} {
			bundle := s.bundle(t, "echo ready; exec sleep 100000")
			killed := func(t *testing.T, moment, driver string, come func(id, out string) bool) {
				t.Helper()
				id := s.id()
				out := s.write(t, id+".out", "", 0o644)
				cmd := s.command(call{args: []string{op, "--id", id, "--driver", driver, bundle}})
				f := appending(t, out)
				defer f.Close()
				cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, f, f
				bounded(t, cmd)
				eventually(t, op+": "+moment, func() bool { return come(id, out) })
				check(t, cmd.Process.Kill())
				_ = cmd.Wait()
				s.ok(t, "delete", "--force", id)
				if left := s.stillThere(t); left != "" {
					t.Fatalf("%s, killed where %s: left after delete: %s", op, moment, left)
				}
			}
			come := func(string, string) bool { return exists(reached) }

			s.configure(t, deadlines(""))
			s.write(t, "berth-driver-waits", "#!/bin/sh\n:>"+reached+"\nexec sleep 100000\n", 0o755)
			killed(t, "the driver starts", "waits", come)
			check(t, unix.Unlink(reached))

			runtime(" "+op+" ", "")
			killed(t, "the runtime starts", s.driver, come)
			check(t, unix.Unlink(reached))

			if op == "create" {
				runtime(" create ", "/usr/bin/"+s.driver+` "$@";`)
				killed(t, "the runtime has created it", s.driver, come)
				check(t, unix.Unlink(reached))
			} else {
				s.configure(t, deadlines(""))
				killed(t, "the program runs", s.driver, func(id, out string) bool {
					return strings.Contains(read(out), "ready") && s.known(id)
				})
			}
			atRandom(t, func(t *testing.T, r *rand.Rand) {
				s.configure(t, deadlines(""))
				long := s.took(t, "run", s.bundle(t, "true"))
				killed(t, "chance has it", s.driver, func(string, string) bool { sometime(r, long); return true })
			})
		}
		s.berth(t, "gc")
	})
}

// known says whether the runtime has written down a container: crun and runc name the file so.
func (s *site) known(id string) bool {
	found := false
	_ = filepath.WalkDir(filepath.Join(home(), id), func(path string, d fs.DirEntry, err error) error {
		found = found || err == nil && d.Name() == map[string]string{"crun": "status", "runc": "state.json"}[s.driver]
		return nil
	})
	return found
}

// F-20, S-33: SIGKILL at the nth call of each kind that changes something or waits for somebody.
func TestKilledAtSystemCalls(t *testing.T) {
	t.Parallel()
	needRoot(t)
	need(t, "runc", "busybox", "strace")
	s := newSite(t)
	s.driver = "runc"
	bundle := s.bundle(t, "true")
	whens := []int{1, 4} // each costs five calls of berth for each kind
	if campaign() {
		whens = []int{1, 2, 3, 4, 6, 8, 16}
	}
	for _, name := range []string{
		"mkdirat", "openat", "renameat", "write", "flock", "unlinkat", "socket", "connect", "clone", "execve", "prctl", "fcntl", "wait4", "fchmod",
	} {
		for _, when := range whens {
			id := s.id()
			inject := []string{"strace", "-f", "--seccomp-bpf", "-qqq", "-o", "/dev/null", "-e", "trace=" + name, "-e", fmt.Sprintf("inject=%s:signal=KILL:when=%d", name, when)}
			s.do(t, call{args: []string{"run", "--id", id, bundle}, prefix: inject})
			s.ok(t, "delete", "--force", id)
			if left := s.stillThere(t); left != "" {
				t.Errorf("SIGKILL at %s %d: left after delete: %s", name, when, left)
			}
			id = s.id()
			s.create(t, id, "sleep 100000")
			s.do(t, call{args: []string{"delete", "--force", id}, prefix: inject})
			s.ok(t, "delete", "--force", id)
			if left := s.stillThere(t); left != "" {
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
	s.configure(t, deadlines("")+"[drivers.bad]\nat = \"run\"\nfault = \"hang\"\n")
	id := s.id()
	cmd := s.command(call{args: []string{"run", "--id", id, s.bundle(t, "")}})
	cmd.Stdin = nil
	check(t, cmd.Start())
	s.awaitDriver(t, "bad")
	eventually(t, "the container is recorded", func() bool { return exists(filepath.Join(home(), id, "record")) })
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
			s.configure(t, deadlines(""))
			s.write(t, "berth-driver-bad", "#!/bin/sh\nsleep 100000\n", 0o755)
		},
		"run": func(t *testing.T, s *site) {
			s.misbehaving(t, "bad")
			s.configure(t, deadlines("")+"[drivers.bad]\nat = \"run\"\nfault = \"hang\"\n")
		},
		"check": func(t *testing.T, s *site) {
			s.misbehaving(t, "bad")
			s.configure(t, "default_driver = \"auto\"\n"+deadlines("")+"[drivers.bad]\nat = \"check\"\nfault = \"stop\"\n")
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
			last := unix.SIGUSR1 // it comes by the same way: what was sent before has come by then
			if sig == last {
				last = unix.SIGUSR2
			}
			script := fmt.Sprintf("n=0; trap 'n=$((n+1)); echo $n >/work/got' %d; trap 'exit $((40+n))' %d; echo >/work/ready; while :; do sleep 0.02; done", sig, last)
			id := s.id()
			work := s.mkdir(t, id)
			cmd := s.command(call{args: []string{"run", "--id", id, "--mount", work + ":/work", s.bundle(t, script)}})
			cmd.Stdin = nil
			bounded(t, cmd)
			eventually(t, "the program is ready", func() bool { return exists(work + "/ready") })
			check(t, cmd.Process.Signal(sig))
			eventually(t, "the program has the signal", func() bool { return exists(work + "/got") })
			check(t, cmd.Process.Signal(last))
			_ = cmd.Wait()
			if status := statusOf(cmd.ProcessState); status != 41 {
				t.Errorf("%v: status %d", sig, status)
			}
		}
	})
}
