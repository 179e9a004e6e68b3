package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// phases are the ways in which a container can be there; each makes one of the ID.
var phases = map[string]func(t *testing.T, s *site, id string){
	"unknown": func(*testing.T, *site, string) {},
	"created": func(t *testing.T, s *site, id string) { s.create(t, id, "sleep 100000") },
	"running": func(t *testing.T, s *site, id string) { s.create(t, id, "sleep 100000"); s.ok(t, "start", id) },
	"running by run": func(t *testing.T, s *site, id string) {
		s.background(t, id, s.bundle(t, "sleep 100000"))
		s.await(t, id, "running")
	},
	"paused": func(t *testing.T, s *site, id string) {
		needRoot(t) // an ordinary user has no cgroup to freeze here
		s.create(t, id, "sleep 100000")
		s.ok(t, "start", id)
		s.ok(t, "pause", id)
	},
	"stopped": func(t *testing.T, s *site, id string) {
		s.create(t, id, "exit 3")
		s.ok(t, "start", id)
		s.await(t, id, "stopped")
	},
	"killed": func(t *testing.T, s *site, id string) {
		s.create(t, id, "sleep 100000")
		s.ok(t, "start", id)
		check(t, unix.Kill(s.state(t, id).Pid, unix.SIGKILL))
		s.await(t, id, "stopped")
	},
	"deleted": func(t *testing.T, s *site, id string) { s.create(t, id, "true"); s.ok(t, "delete", "--force", id) },
	"with a damaged record": func(t *testing.T, s *site, id string) {
		s.create(t, id, "sleep 100000")
		s.ok(t, "start", id)
		put(t, filepath.Join(home(), id, "record"), "{damaged")
	},
}

// What each operation does in each phase: "" is success without a word, else a pattern of the
// refusal. F-60.
var lifecycle = []struct {
	op                                                                          []string
	unknown, created, running, byRun, paused, stopped, killed, deleted, damaged string
}{
	{[]string{"start", "ID"}, none, "", isRunning, isRunning, isPaused, isStopped, isStopped, none, isRunning},
	{[]string{"kill", "ID", "0"}, signal, signal, signal, signal, signal, signal, signal, signal, signal},
	{[]string{"kill", "ID", "BOGUS"}, signal, signal, signal, signal, signal, signal, signal, signal, signal},
	{[]string{"kill", "ID", "URG"}, none, "", "", "", "", isStopped, isStopped, none, ""},
	{[]string{"exec", "ID", "--", "true"}, none, "", "", "", isPaused, isStopped, isStopped, none, ""},
	{[]string{"delete", "ID"}, none, "", isRunning, isRunning, isPaused, "", "", none, isRunning},
	{[]string{"delete", "--force", "ID"}, "", "", "", "", "", "", "", "", ""},
}

const (
	none      = "does not exist"
	signal    = "unknown signal"
	isRunning = "running"
	isPaused  = "paused"
	isStopped = "stopped"
)

func TestLifecycleTable(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		if s.driver == "runc" && os.Geteuid() != 0 && !campaign() {
			t.Skip("as an ordinary user for the campaign: what differs for him, crun shows at a third of the cost")
		}
		for phase, make := range phases {
			for _, row := range lifecycle {
				want := map[string]string{
					"unknown": row.unknown, "created": row.created, "running": row.running, "running by run": row.byRun, "paused": row.paused,
					"stopped": row.stopped, "killed": row.killed, "deleted": row.deleted, "with a damaged record": row.damaged,
				}[phase]
				if s.driver == "crun" && os.Geteuid() != 0 && row.op[0] == "exec" && phase == "created" {
					continue // crun 1.8 enters the user namespace of one that is not started by chance
				}
				t.Run(strings.Join(row.op, " ")+" "+phase, func(t *testing.T) {
					id := s.id()
					t.Cleanup(func() { s.berth(t, "delete", "--force", id) })
					make(t, s, id)
					r := s.berth(t, replaced(row.op, "ID", id)...)
					if want == "" {
						if r.status != 0 || r.stdout != "" || phase != "with a damaged record" && r.stderr != "" {
							t.Errorf("%+v", r)
						}
						return
					}
					r.stderr = withoutWarnings(r.stderr)
					refused(t, r)
					if !regexp.MustCompile(want).MatchString(r.stderr) {
						t.Errorf("want %q, got %s", want, r.stderr)
					}
				})
			}
		}
	})
}

func replaced(args []string, word, by string) []string {
	var out []string
	for _, a := range args {
		out = append(out, strings.ReplaceAll(a, word, by))
	}
	return out
}

// withoutWarnings takes away lines of the log: a damaged record is worth one.
func withoutWarnings(text string) string {
	return regexp.MustCompile(`(?m)^\S+ \[WARN\].*\n`).ReplaceAllString(text, "")
}

// status is what "berth state" says.
type status struct {
	ID, Status, Bundle string
	Pid                int
	Annotations        map[string]string
}

// state asks for a container's state: one JSON document, and nothing on stderr.
func (s *site) state(t testing.TB, id string) status {
	t.Helper()
	var st status
	d := json.NewDecoder(strings.NewReader(s.ok(t, "state", id)))
	check(t, d.Decode(&st))
	if d.More() {
		t.Errorf("state prints more than one document")
	}
	return st
}

// await waits until a container has a status.
func (s *site) await(t testing.TB, id, want string) {
	t.Helper()
	eventually(t, id+" is "+want, func() bool { return strings.Contains(s.berth(t, "state", id).stdout, `"`+want+`"`) })
}

// create creates a container; /dev/null stands for its streams, which it would keep open.
func (s *site) create(t testing.TB, id, script string, options ...string) {
	t.Helper()
	cmd := s.command(call{args: append(append([]string{"create", "--id", id}, options...), s.bundle(t, script))})
	cmd.Stdin = nil
	cmd.Stderr = os.Stderr
	bounded(t, cmd)
	if err := cmd.Wait(); err != nil {
		t.Fatalf("create: %v", err)
	}
}

// state, ps and gc in each phase of a container's life.
func TestStateInEachPhase(t *testing.T) {
	eachDriverInTurn(t, func(t *testing.T, s *site) {
		for phase, want := range map[string]string{
			"created": "created", "running": "running", "running by run": "running", "paused": "paused", "stopped": "stopped", "killed": "stopped",
		} {
			t.Run(phase, func(t *testing.T) {
				id := s.id()
				phases[phase](t, s, id)
				defer s.berth(t, "delete", "--force", id)
				st := s.state(t, id)
				if st.ID != id || st.Status != want || (st.Pid > 0) == (want == "stopped") || !strings.HasSuffix(st.Bundle, ".bundle") {
					t.Errorf("%+v", st)
				}
				// ps and gc are about all containers of the user: what they say of others is not this test's.
				var listed []struct{ ID, Driver, Status string }
				check(t, json.Unmarshal([]byte(s.berth(t, "ps", "--json").stdout), &listed))
				found := false
				for _, e := range listed {
					found = found || e.ID == id && e.Status == want && e.Driver == s.driver
				}
				if !found {
					t.Errorf("ps --json: %+v", listed)
				}
				if line := regexp.MustCompile(id + ` +` + s.driver + ` +` + want); !line.MatchString(s.berth(t, "ps").stdout) {
					t.Errorf("ps does not have %s", line)
				}
				if removed := strings.Contains(s.berth(t, "gc").stdout, id); removed != (want == "stopped") {
					t.Errorf("gc removed it: %v", removed)
				}
			})
		}
	})
}

// The second use of an ID is refused and harms nothing.
func TestSecondUseOfAnID(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		id := s.id()
		s.background(t, id, s.bundle(t, "sleep 100000"))
		s.await(t, id, "running")
		for _, op := range []string{"run", "create"} {
			refused(t, s.berth(t, op, "--id", id, s.bundle(t, "true")), id, "already exists")
		}
		if st := s.state(t, id); st.Status != "running" {
			t.Errorf("%+v", st)
		}
	})
}

// S-40: what no container can be called.
func TestInvalidIDs(t *testing.T) {
	t.Parallel()
	need(t, "runc", "busybox")
	s := newSite(t)
	s.driver = "runc"
	bundle := s.bundle(t, "true")
	for _, id := range []string{"", ".", "..", "a/b", "/", "../../etc", "-x", ".x", "a b", "a\nb", "ä", strings.Repeat("x", 129), strings.Repeat("x", 300), "a\\b", "%s"} {
		t.Run(fmt.Sprintf("%.20q", id), func(t *testing.T) {
			for _, args := range [][]string{
				{"run", "--id=" + id, bundle}, {"create", "--id=" + id, bundle}, {"start", "--", id}, {"state", "--", id}, {"kill", "--", id},
				{"delete", "--", id}, {"delete", "--force", "--", id}, {"pause", "--", id}, {"resume", "--", id}, {"wait", "--", id},
			} {
				refused(t, s.berth(t, args...), "container ID")
			}
		})
	}
}

// wait knows the status where berth-init stayed to see it, and says so where not.
func TestWait(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		for option, want := range map[string]string{"--init": "42\n", "--init=false": "unknown\n"} {
			id := s.id()
			s.background(t, id, s.bundle(t, "until test -e /work/go; do sleep 0.05; done; exit 42"), option, "--mount", s.mkdir(t, id)+":/work")
			s.await(t, id, "running")
			var out strings.Builder
			waiting := s.command(call{args: []string{"wait", id}})
			waiting.Stdin, waiting.Stdout = nil, &out
			bounded(t, waiting)
			eventually(t, "berth waits", func() bool { return holdsPidfd(waiting.Process.Pid) })
			put(t, filepath.Join(s.path(id), "go"), "")
			if err := waiting.Wait(); err != nil || out.String() != want {
				t.Errorf("%s: %v, %q, want %q", option, err, out.String(), want)
			}
		}
		refused(t, s.berth(t, "wait", s.id()), none)
	})
}

// holdsPidfd says whether a process has a descriptor of another, as one that waits for it does.
func holdsPidfd(pid int) bool {
	dir := fmt.Sprintf("/proc/%d/fd", pid)
	entries, _ := os.ReadDir(dir)
	for _, e := range entries {
		if target, _ := os.Readlink(filepath.Join(dir, e.Name())); target == "anon_inode:[pidfd]" {
			return true
		}
	}
	return false
}

// exec runs a further program with the container's environment, and its status is exact.
func TestExec(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		id := s.id()
		s.background(t, id, s.bundle(t, "sleep 100000"))
		s.await(t, id, "running")
		r := s.do(t, call{args: []string{"exec", "--env", "A=b c", "--workdir", "/work", id, "--", "sh", "-c", `cat; echo "$TOKEN" "$A"; pwd; hostname; exit 9`}, stdin: "in\n"})
		if want := (result{9, fmt.Sprintf("in\n%s b c\n/work\nberth-test\n", s.token), ""}); r != want {
			t.Errorf("want %+v, got %+v", want, r)
		}
		for command, status := range map[string]int{"missing": 127, "/bin/directory": 126} {
			if r := s.berth(t, "exec", id, "--", command); r.status != status || !oneLineAbout(r.stderr, command) {
				t.Errorf("%s: %+v", command, r)
			}
		}
		refused(t, s.berth(t, "exec", id), "no command", "--")
		refused(t, s.berth(t, "exec", id, "true"), "no command", "--")
		refused(t, s.berth(t, "exec", "--process", "/no/such/file", id), "/no/such/file")
	})
}
