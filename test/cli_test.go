package test

import (
	"os/exec"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/internal/golden"
)

// The command line: what it answers, and what it says to mistakes. Patterns of stdout and stderr; ""
// is no output at all.
func TestCommandLine(t *testing.T) {
	t.Parallel()
	need(t, "runc", "busybox")
	s := newSite(t)
	bundle, id := s.bundle(t, "echo hello"), s.id()
	for _, c := range []struct {
		args           []string
		status         int
		stdout, stderr string
	}{
		{[]string{"run", "--help"}, 0, `Status 125`, ``},
		{[]string{"completion", "bash"}, 0, `berth`, ``},
		{[]string{"bogus"}, 125, ``, `unknown command "berth bogus"`},
		{[]string{"stat"}, 125, ``, `did you mean "berth sta`},
		{[]string{"driver", "chekc"}, 125, ``, `did you mean "berth driver check"`},
		{[]string{"run", "--drivr", "runc", bundle}, 125, ``, `did you mean --driver`},
		{[]string{"config", "check", "a", "b"}, 125, ``, `at most 1`},
		{[]string{"version"}, 0, `^berth \S+, driver protocol 1, go1\.\S+\n$`, ``},
		{[]string{"version", "--json"}, 0, `"protocol": 1`, ``},

		{[]string{"config", "check"}, 0, `built-in defaults: good`, ``},
		{[]string{"config", "show"}, 0, `default_driver = "auto"`, ``},
		{[]string{"config", "check", "/no/such.toml"}, 125, ``, `/no/such\.toml`},

		{[]string{"driver", "ls"}, 0, `(?m)^DRIVER +RUNTIME +VERSION +STATUS$(?s:.*)^runc +/\S+/runc +1\.\S+ +works$`, ``},
		{[]string{"driver", "ls", "--json"}, 0, `"name": "runc"`, ``},
		{[]string{"driver", "check", "runc"}, 0, `^runc: works, /\S+/runc 1\.`, ``},
		{[]string{"driver", "check", "nosuch"}, 125, ``, `unknown driver "nosuch"`},
		{[]string{"driver", "info", "rucn"}, 125, ``, `(?s)unknown driver "rucn".*did you mean "runc"`},
		{[]string{"driver", "info", "runc"}, 0, `(?m)^sha256 +[0-9a-f]{64}$(?s:.*)^can +run, `, ``},
		{[]string{"driver", "describe", "runc"}, 0, `(?m)^\[drivers\.runc\]$(?s:.*)^# runtime = `, ``},
		{[]string{"driver", "test", "--list"}, 0, `exit`, ``},
		{[]string{"driver", "test"}, 125, ``, `which driver`},
		{[]string{"driver", "test", "./nothing"}, 125, ``, `nothing`},

		{[]string{"run", "--driver=runc", bundle}, 0, `^hello\n$`, ``},
		{[]string{"run", "/no/such/bundle"}, 125, ``, `reading bundle: lstat /no: no such file`},
		{[]string{"state", id}, 125, ``, `does not exist`},
		{[]string{"kill", id}, 125, ``, `does not exist`},
		{[]string{"delete", id}, 125, ``, `does not exist`},
		{[]string{"delete", "--force", id}, 0, ``, ``},
		{[]string{"kill", id, "BOGUS"}, 125, ``, `unknown signal "BOGUS"`},
		{[]string{"ps"}, 0, `^ID +DRIVER +STATUS +PID +AGE +BUNDLE\n`, `^`},
		{[]string{"ps", "--json"}, 0, `^\[`, `^`},
	} {
		t.Run(strings.ReplaceAll(strings.Join(c.args, " "), bundle, "BUNDLE"), func(t *testing.T) {
			r := s.berth(t, c.args...)
			if c.status == 125 {
				refused(t, r)
			}
			if r.status != c.status || !matches(c.stdout, r.stdout) || !matches(c.stderr, r.stderr) {
				t.Errorf("%+v", r)
			}
		})
	}
}

func matches(pattern, text string) bool {
	if pattern == "" {
		return text == ""
	}
	return regexp.MustCompile(pattern).MatchString(text)
}

// The help that newcomers see is in testdata/help.txt.
func TestHelp(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	help := s.ok(t, "--help")
	golden.Check(t, "testdata/help.txt", help)
	for _, args := range [][]string{nil, {"help"}, {"-h"}} {
		if s.ok(t, args...) != help {
			t.Errorf("berth %q prints something else", args)
		}
	}
	if strings.Contains(help, "completion") {
		t.Error("the completion command is in the help")
	}
}

// config check tells all mistakes at once, each with its line; what config show prints is a file
// that config check takes.
func TestConfigCheckAndShow(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	bad := s.write(t, "bad.toml", "defualt_driver = \"runc\"\n\n[log]\nlevel = 3\n\n[drivers.x]\npath = \"relative\"\n", 0o644)
	r := s.berth(t, "config", "check", bad)
	for _, want := range []string{
		`bad.toml:1:1: unknown key "defualt_driver"; did you mean "default_driver"?`, `bad.toml:4:1: log.level`, `bad.toml:7:1: drivers.x.path`,
	} {
		if !strings.Contains(r.stderr, want) {
			t.Errorf("%q is missing in:\n%s", want, r.stderr)
		}
	}
	if r.status != 125 || r.stdout != "" || strings.Count(r.stderr, "\n") != 3 {
		t.Errorf("%+v", r)
	}
	s.configure(t, "default_driver = \"runc\"\n[policy]\nuser_drivers = [\"r*\"]\n")
	shown := s.ok(t, "config", "show")
	if !strings.Contains(shown, "berth.toml:1") {
		t.Errorf("config show does not say where a value is from:\n%s", shown)
	}
	again := s.write(t, "again.toml", shown, 0o644)
	if out := s.ok(t, "config", "check", again); out != again+": good\n" {
		t.Errorf("%q", out)
	}
	s.configure(t, shown)
	if out, err := exec.Command(s.path("berth"), "config", "show").Output(); err != nil || withoutPlaces(string(out)) != withoutPlaces(shown) {
		t.Errorf("shown again: %v\n%s", err, cmp.Diff(withoutPlaces(shown), withoutPlaces(string(out))))
	}
}

// withoutPlaces takes the comments out of a configuration.
func withoutPlaces(text string) string {
	return regexp.MustCompile(`(?m) *#.*$`).ReplaceAllString(text, "")
}

// Who leaves an argument out is asked for it.
func TestArgumentsLeftOut(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	for _, command := range []string{"start", "state", "kill", "delete", "pause", "resume", "wait", "exec"} {
		refused(t, s.berth(t, command), "which container? give its ID")
	}
	for _, command := range []string{"info", "check", "describe"} {
		refused(t, s.berth(t, "driver", command), "which driver? give its name")
	}
	refused(t, s.berth(t, "state", "a", "b"), `unexpected argument "b"`)
	refused(t, s.berth(t, "kill", "a", "TERM", "b"), `unexpected argument "b"`)
	if r := s.berth(t, "run", "-n", "x", "bundle"); strings.Contains(r.stderr, "strconv") {
		t.Errorf("%+v", r)
	}
}
