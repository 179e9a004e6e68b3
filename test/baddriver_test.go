package test

import (
	"cmp"
	"fmt"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// deadlines lets every call take as long as it takes, but for those that the key names: in these a driver
// hangs, so that a short time ends nothing else.
func deadlines(short string) string {
	var b strings.Builder
	fmt.Fprintln(&b, "[deadlines]")
	for _, key := range []string{"handshake", "check", "state", "run", "start", "kill", "delete"} {
		limit := "10h"
		if key == short {
			limit = "200ms"
		}
		fmt.Fprintf(&b, "%s = %q\n", key, limit)
	}
	return b.String()
}

// F-01, F-02: a driver that dies or hangs in a call.
func TestDriverFailsInACall(t *testing.T) {
	faults := []struct {
		name, says string
		hangs      bool
	}{
		{"exit", "exit status 3", false}, {"panic", "a fault of the driver's", false}, {"segv", "", false}, {"kill", "SIGKILL", false},
		{"error", "it has", false}, {"stop", "", true}, {"hang", "", true},
	}
	limits := map[string]string{"create": "run", "exec": "run", "pause": "kill", "resume": "kill"} // others have one of their own
	for _, op := range []string{"run", "create", "start", "state", "kill", "delete", "exec", "pause", "resume", "check"} {
		t.Run(op, func(t *testing.T) {
			t.Parallel()
			need(t, "busybox")
			s := newSite(t)
			s.driver = "bad"
			s.misbehaving(t, "bad")
			id := s.id()
			args := map[string][]string{
				"run":    {"run", "--id", id, s.bundle(t, "")},
				"create": {"create", "--id", id, s.bundle(t, "")},
				"exec":   {"exec", id, "--", "true"},
				"check":  {"driver", "check", "bad"},
			}[op]
			if args == nil {
				args = []string{op, id}
			}
			if op != "run" && op != "create" && op != "check" {
				s.configure(t, "[drivers.bad]\ncommand = [\"/bin/sleep\", \"100000\"]\n")
				s.background(t, id, s.bundle(t, ""))
			}
			for _, fault := range faults {
				limit := ""
				if fault.hangs {
					limit = cmp.Or(limits[op], op)
				}
				s.configure(t, fmt.Sprintf("%s[drivers.bad]\nat = %q\nfault = %q\n", deadlines(limit), op, fault.name))
				r := s.berth(t, args...)
				refused(t, r, `"bad"`, fault.says)
				if t.Failed() {
					t.Fatalf("%s in %s", fault.name, op)
				}
			}
			// Also with the last fault, of which there may be a warning.
			if r := s.berth(t, "delete", "--force", id); r.status != 0 {
				t.Errorf("delete: %+v", r)
			}
		})
	}
}

// background starts a container by "berth run" and waits until berth has become its runtime. It is
// killed at the end of the test, if it still runs.
func (s *site) background(t testing.TB, id, bundle string, options ...string) *exec.Cmd {
	t.Helper()
	cmd := s.command(call{args: append(append([]string{"run", "--id", id}, options...), bundle)})
	cmd.Stdin = nil
	check(t, cmd.Start())
	ended := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(ended)
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-ended
		s.berth(t, "delete", "--force", id)
	})
	eventually(t, "berth becomes the runtime", func() bool {
		exe, _ := os.Readlink(fmt.Sprintf("/proc/%d/exe", cmd.Process.Pid))
		return exe != "" && !strings.HasSuffix(exe, "/berth")
	})
	return cmd
}

// F-03, F-04, F-05: what is no driver, or speaks otherwise.
func TestDriverThatIsNone(t *testing.T) {
	t.Parallel()
	need(t, "busybox")
	patient, hasty := newSite(t), newSite(t)
	patient.configure(t, deadlines(""))
	hasty.configure(t, deadlines("handshake"))
	bundle := patient.bundle(t, "true")
	script := func(text string) string { return "#!/bin/sh\n" + text + "\n" }
	const late = "200ms" // of a driver that says nothing
	for name, c := range map[string]struct {
		text  string
		mode  os.FileMode
		words []string
	}{
		"F-03 exits at once":        {script("exit 7"), 0o755, []string{"exit status 7"}},
		"F-03 says why and exits":   {script("echo no licence >&2; exit 7"), 0o755, []string{"no licence"}},
		"F-03 garbage":              {script("echo hello; sleep 100000"), 0o755, []string{"hello"}},
		"F-03 escape codes":         {script(`printf '\033[31mred\033[0m\n'; sleep 100000`), 0o755, []string{`\x1b[31mred`}},
		"F-03 a line of 1 MiB":      {script("head -c 1048576 /dev/zero | tr '\\0' x; sleep 100000"), 0o755, []string{"xxx"}},
		"F-03 nothing":              {script("exec sleep 100000"), 0o755, []string{late}},
		"F-03 half a line":          {script("printf '1|1|unix|/tmp'; sleep 100000"), 0o755, []string{late}},
		"F-03 stopped":              {script("kill -STOP $$; sleep 100000"), 0o755, []string{late}},
		"F-03 ignores TERM":         {script("trap '' TERM INT HUP; while :; do sleep 100000; done"), 0o755, []string{late}},
		"F-03 leaks its stderr":     {script("sleep 100000 & exit 3"), 0o755, []string{"exit status 3"}},
		"F-04 protocol 99":          {script("echo '1|99|unix|/tmp/x|grpc|'; sleep 100000"), 0o755, []string{"protocol 99", "speaks 1", "upgrade berth"}},
		"F-04 core protocol 2":      {script("echo '2|1|unix|/tmp/x|grpc|'; sleep 100000"), 0o755, []string{"2"}},
		"F-04 net/rpc":              {script("echo '1|1|unix|/tmp/x|netrpc|'; sleep 100000"), 0o755, []string{"netrpc"}},
		"F-04 TCP":                  {script("echo '1|1|tcp|127.0.0.1:1|grpc|'; sleep 100000"), 0o755, []string{"tcp"}},
		"F-04 foreign socket":       {script("echo '1|1|unix|/run/dbus/x|grpc|'; sleep 100000"), 0o755, []string{"/run/dbus/x"}},
		"F-04 certificate":          {script("echo \"1|1|unix|$PLUGIN_UNIX_SOCKET_DIR/x|grpc|$(head -c 60 /dev/zero | tr '\\0' A)\"; sleep 100000"), 0o755, []string{"certificate"}},
		"F-05 not executable":       {script("exit"), 0o644, []string{"not executable", "chmod 755"}},
		"F-05 no interpreter":       {"#!/no/such/shell\n", 0o755, []string{"interpreter"}},
		"F-05 text":                 {"hello\n", 0o755, []string{"exec format error"}},
		"F-05 wrong architecture":   {foreignELF(), 0o755, []string{"exec format error"}},
		"F-05 empty":                {"", 0o755, []string{"exec format error"}},
		"F-03 closes its streams":   {script("exec >&- 2>&- ; sleep 100000"), 0o755, nil},
		"F-08 floods its log first": {script("head -c 20000000 /dev/zero | tr '\\0' '\\n' >&2; echo the last words >&2; exit 1"), 0o755, []string{"exit status 1"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := patient
			if slices.Equal(c.words, []string{late}) {
				s = hasty
			}
			s.write(t, "berth-driver-"+driverName(name), c.text, c.mode)
			r := s.berth(t, "run", "--driver", driverName(name), bundle)
			refused(t, r, append(c.words, fmt.Sprintf("driver %q", driverName(name)))...)
		})
	}
}

// driverName makes a driver's name of a test's.
func driverName(name string) string {
	letters := func(r rune) rune {
		if 'a' <= r && r <= 'z' || '0' <= r && r <= '9' {
			return r
		}
		return '-'
	}
	return strings.Trim(strings.Map(letters, strings.ToLower(name)), "-")
}

// foreignELF is the header of a program for another machine.
func foreignELF() string {
	h := make([]byte, 120)
	copy(h, "\x7fELF\x02\x01\x01")
	h[16], h[18], h[19], h[20], h[52], h[54], h[56] = 2, 0xf3, 0, 1, 64, 56, 1 // ET_EXEC, EM_RISCV
	return string(h)
}

// F-05: files in the place of a driver that are none.
func TestDriverFileThatIsNone(t *testing.T) {
	t.Parallel()
	s := newSite(t)
	need(t, "busybox")
	bundle := s.bundle(t, "true")
	check(t, os.Mkdir(s.path("berth-driver-dir"), 0o755))
	check(t, os.Symlink(s.path("berth-driver-runc"), s.path("berth-driver-link")))
	check(t, unix.Mkfifo(s.path("berth-driver-fifo"), 0o755))
	s.configure(t, "[drivers.away]\npath = \""+s.path("away")+"\"\n")
	for name, words := range map[string][]string{
		"dir":     {"not a regular file"},
		"link":    {"symbolic link"},
		"fifo":    {"not a regular file"},
		"away":    {s.path("away"), "drivers.away.path"},
		"missing": {`no driver "missing" is installed`},
		"rumc":    {"did you mean", "runc"},
		"../runc": {"lower-case letters"},
		"RUNC":    {"lower-case letters"},
		"-x":      {"lower-case letters"},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, s.berth(t, "run", "--driver="+name, bundle), words...)
		})
	}
	t.Run("being written", func(t *testing.T) {
		check(t, copyFile(s.path("berth-driver-busy"), s.path("berth-driver-runc"), 0o755))
		f, err := os.OpenFile(s.path("berth-driver-busy"), os.O_WRONLY, 0)
		check(t, err)
		defer f.Close()
		refused(t, s.berth(t, "run", "--driver=busy", bundle), "text file busy")
	})
}

// F-06: a driver's lies are not believed.
func TestDriverThatLies(t *testing.T) {
	t.Parallel()
	need(t, "busybox")
	s := newSite(t)
	s.driver = "bad"
	s.misbehaving(t, "bad")
	s.configure(t, "[drivers.bad]\ncommand = [\"/bin/sleep\", \"100000\"]\n")
	id := s.id()
	s.background(t, id, s.bundle(t, ""))
	for _, c := range []struct{ at, lie string }{
		{"run", "relative"}, {"run", "no-arguments"}, {"run", "NUL"}, {"run", "huge"}, {"run", "missing-program"},
		{"state", "pid-1"}, {"state", "negative-pid"}, {"state", "unknown-status"}, {"state", "other-id"},
	} {
		t.Run(c.at+" "+c.lie, func(t *testing.T) {
			s.configure(t, fmt.Sprintf("[drivers.bad]\nat = %q\nfault = %q\n", c.at, c.lie))
			if c.at == "run" {
				refused(t, s.berth(t, "run", s.bundle(t, "")), `"bad"`)
			} else {
				refused(t, s.berth(t, "state", id), `"bad"`)
			}
		})
	}
}

// F-07, F-08, S-50: children, noise and floods of a driver do not matter.
func TestDriverThatIsNoisy(t *testing.T) {
	t.Parallel()
	need(t, "busybox")
	s := newSite(t)
	s.driver = "bad"
	s.misbehaving(t, "bad")
	for _, fault := range []string{"flood", "stdout", "children"} {
		t.Run(fault, func(t *testing.T) {
			s.configure(t, fmt.Sprintf("[drivers.bad]\nat = \"run\"\nfault = %q\ncommand = [\"/bin/echo\", \"the program\"]\n", fault))
			r := s.berth(t, "run", s.bundle(t, ""))
			if r.status != 0 || r.stdout != "the program\n" || len(r.stderr) > 4096 || strings.Contains(r.stderr, "\x1b") {
				t.Errorf("%+.5000v", r)
			}
		})
	}
}

// The program that a plan names gets no child that it did not start: F-07.
func TestNoStrayChildren(t *testing.T) {
	t.Parallel()
	need(t, "busybox")
	s := newSite(t)
	s.driver = "bad"
	s.misbehaving(t, "bad")
	s.configure(t, `[drivers.bad]
at = "run"
fault = "children"
command = ["/bin/sh", "-c", "cat /proc/$$/task/$$/children; wait; echo over"]
`)
	r := s.berth(t, "run", s.bundle(t, ""))
	// The only child is the cat that looks.
	if r.status != 0 || len(strings.Fields(r.stdout)) != 2 || !strings.HasSuffix(r.stdout, "over\n") {
		t.Errorf("%+v", r)
	}
}
