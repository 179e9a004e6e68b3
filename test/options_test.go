package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// --dry-run prints the plan as one JSON document and leaves nothing.
func TestDryRun(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		id := s.id()
		var plan struct {
			Driver, Because, Container, Path string
			Args, Env                        []string
			Changes                          []struct{ Path, Why string }
		}
		out := s.ok(t, "run", "--dry-run", "--id", id, "--env", "A=b", s.bundle(t, "touch /tmp/x"))
		check(t, json.Unmarshal([]byte(out), &plan))
		if plan.Driver != s.driver || !strings.Contains(plan.Because, "BERTH_DRIVER") || filepath.Base(plan.Path) != s.driver || !slices.Contains(plan.Args, id) {
			t.Errorf("%+v", plan)
		}
		if !slices.ContainsFunc(plan.Changes, func(c struct{ Path, Why string }) bool { return c.Path == "process.env[A]" && c.Why != "" }) {
			t.Errorf("the changes do not have the variable: %+v", plan.Changes)
		}
		refused(t, s.berth(t, "state", id), none)
		if _, err := os.Lstat(plan.Container); err == nil {
			t.Errorf("%s is left", plan.Container)
		}
	})
}

// The options of run arrive in the container.
func TestRunOptions(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		data := s.mkdir(t, "data")
		put(t, filepath.Join(data, "file"), "from the node\n")
		pidFile := s.path("pid")
		r := s.do(t, call{
			args: []string{
				"run", "--env", "SET=a=b c", "--env", "PASSED", "--workdir", "/work", "--mount", data + ":/work:ro", "--pid-file", pidFile,
				s.bundle(t, "exit 99"), "--", "sh", "-c", `echo "$SET $PASSED"; pwd; cat file; touch /work/x 2>/dev/null || echo read-only`,
			},
			env: []string{"PASSED=on"},
		})
		if r != (result{stdout: "a=b c on\n/work\nfrom the node\nread-only\n"}) {
			t.Errorf("%+v", r)
		}
		if pid := read(pidFile); pid == "" {
			t.Error("no pid file")
		}
	})
}

// Options that make no sense are refused, by name.
func TestOptionsThatMakeNoSense(t *testing.T) {
	t.Parallel()
	need(t, "runc", "busybox")
	s := newSite(t)
	s.driver = "runc"
	bundle := s.bundle(t, "true")
	for _, c := range []struct {
		args  []string
		words []string
	}{
		{[]string{"run"}, []string{"which bundle"}},
		{[]string{"run", bundle, "echo"}, []string{"echo", `"--"`}},
		{[]string{"run", bundle, "--"}, []string{"no command"}},
		{[]string{"run", "--bogus", bundle}, []string{"--bogus"}},
		{[]string{"run", "--env", "NOSUCHVARIABLE", bundle}, []string{"NOSUCHVARIABLE"}},
		{[]string{"run", "--env", "=x", bundle}, []string{"=x"}},
		{[]string{"run", "--mount", "x", bundle}, []string{"--mount", "SRC:DST"}},
		{[]string{"run", "--mount", "/no/such:/tmp", bundle}, []string{"/no/such"}},
		{[]string{"run", "--mount", s.dir + ":tmp", bundle}, []string{"tmp"}},
		{[]string{"run", "--workdir", "relative", bundle}, []string{"relative"}},
		{[]string{"run", "--preserve-fds", "5", bundle}, []string{"descriptor 3"}},
		{[]string{"run", "--preserve-fds", "-5", bundle}, []string{"-5"}},
		{[]string{"run", "--preserve-fds", "99999999", bundle}, []string{"descriptor 3"}},
		{[]string{"kill"}, []string{"which container"}},
		{[]string{"state", "a", "b"}, []string{"unexpected", `"b"`}},
	} {
		t.Run(fmt.Sprint(c.args), func(t *testing.T) { refused(t, s.berth(t, c.args...), c.words...) })
	}
}
