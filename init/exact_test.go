package init_test

import (
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

var forms = map[string][]string{
	"exec": {}, "init": {"--init"}, "init direct": {"--init", "--signals=direct", "--status", "/dev/null"},
}

func TestArgumentsAreExact(t *testing.T) {
	prog := link(t, openDir(t), "prog")
	for name, form := range forms {
		for _, args := range [][]string{
			{}, {""}, {"", "", ""}, {" ", "a b", "'\"\\$`*?"}, {"two\nlines\r\n\t"}, {"--", "--init", "--rm"},
			{"\xff\xfe not UTF-8", "Grüße, 世界", "\x01\x7f"}, {strings.Repeat("x", 128<<10-1)}, strings.Split(strings.Repeat("a,", 4000), ","),
		} {
			argv := append([]string{prog}, args...)
			got := run(t, append(append(form, "--"), argv...)...)
			if want := (result{stdout: strings.Join(argv, "\x00") + "\x00"}); got != want {
				t.Errorf("%s: %.60q: status %d, %.80q, %q", name, args, got.status, got.stdout, got.stderr)
			}
		}
	}
}

func TestEnvironmentIsExact(t *testing.T) {
	p := need(t)
	env := []string{
		"PATH=/bin", "EMPTY=", "=odd", "=", "NOVALUE", "", "A=b=c", "TWO=1", "NEWLINE=a\nb", "SHELL=$(date) `date`",
		"BYTES=\xff\x01", "LD_PRELOAD=/nothing", "MALLOC_CHECK_=3", "LONG=" + strings.Repeat("y", 128<<10-6),
	}
	for name, form := range forms {
		got := call{args: append(form, "--", p.probe, "cat", "/proc/self/environ"), env: env}.run(t)
		// os/exec drops what has no name; the rest must arrive as it was, in its order.
		want := call{args: []string{"cat", "/proc/self/environ"}, env: env, exe: p.probe}.run(t)
		if got != want || !strings.Contains(got.stdout, "NEWLINE=a\nb\x00") {
			t.Errorf("%s: status %d, got %.300q, want %.300q", name, got.status, got.stdout, want.stdout)
		}
	}
}

// With a file in front the environment is what that holds, also what no shell could say.
func TestEnvironmentFromFile(t *testing.T) {
	p := need(t)
	env := []string{"PATH=/bin", "EMPTY=", "=odd", "NOVALUE", "NEWLINE=a\nb", "SHELL=$(date) `date` ${X} 'q' \"", "BYTES=\xff\x01", "LONG=" + strings.Repeat("y", 128<<10-6)}
	want := strings.Join(env, "\x00") + "\x00"
	file := filepath.Join(openDir(t), "environment")
	if err := os.WriteFile(file, []byte(want), 0o644); err != nil {
		t.Fatal(err)
	}
	for name, form := range forms {
		args := append(append([]string{file}, form...), "--", p.probe, "cat", "/proc/self/environ")
		if got := (call{args: args, env: []string{"GONE=1", "PATH=/nowhere"}}).run(t); got != (result{stdout: want}) {
			t.Errorf("%s: status %d, got %.300q, %q", name, got.status, got.stdout, got.stderr)
		}
	}
	if got := (call{args: []string{file + ".missing", "--", p.probe, "cat"}}).run(t); got.status != 125 || !strings.Contains(got.stderr, "reading the environment from") {
		t.Errorf("%+v", got)
	}
}

func TestVariablesUnsetAndSet(t *testing.T) {
	p := need(t)
	for name, form := range forms {
		args := append([]string{"--unset", "GONE", "--unset", "NEVER", "--set", "B=new\n'$A'", "--set", "EMPTY="}, form...)
		args = append(args, "--", p.probe, "cat", "/proc/self/environ")
		got := call{args: args, env: []string{"A=1", "GONE=2", "GONER=3", "B=old"}}.run(t)
		if want := (result{stdout: "A=1\x00GONER=3\x00B=new\n'$A'\x00EMPTY=\x00"}); got != want {
			t.Errorf("%s: got %+v", name, got)
		}
	}
}

// What the command finds of signals, descriptors and itself must be what berth-init was given.
func TestNothingElseChanges(t *testing.T) {
	p := need(t)
	file := filepath.Join(openDir(t), "status")
	write(t, 0o644, "", file)
	facts := func(args ...string) map[string]string {
		t.Helper()
		got := call{args: append([]string{"blocking"}, args...), exe: p.probe}.run(t)
		if got.status != 0 || got.stderr != "" {
			t.Fatalf("%q: got %+v", args, got)
		}
		facts := map[string]string{}
		for line := range strings.Lines(got.stdout) {
			key, value, _ := strings.Cut(line, ":")
			switch key {
			case "SigQ", "SigPnd", "ShdPnd", "SigBlk", "SigIgn", "SigCgt", "Umask", "Uid", "Gid", "Groups", "CapEff", "NoNewPrivs", "FDSize":
				facts[key] = value
			}
		}
		return facts
	}
	want := facts(p.probe, "cat", "/proc/self/status")
	if len(want) < 12 {
		t.Fatalf("only %v in /proc/self/status", want)
	}
	for name, form := range map[string][]string{"exec": {"--cwd", "/"}, "init": {"--init", "--status", file}} {
		got := facts(append(append([]string{p.init}, form...), "--", p.probe, "cat", "/proc/self/status")...)
		for key := range want {
			if got[key] != want[key] && key != "SigQ" {
				t.Errorf("%s: %s is %s, want %s", name, key, got[key], want[key])
			}
		}
	}
	open := call{args: []string{"/proc/self/fd"}, exe: "/bin/ls"}.run(t)
	for name, form := range map[string][]string{"exec": {}, "init": {"--init", "--status", file}} {
		if got := run(t, append(form, "--", "ls", "/proc/self/fd")...); got != open {
			t.Errorf("%s: descriptors %q, want %q", name, got.stdout, open.stdout)
		}
	}
}

func TestDescriptorsPassThrough(t *testing.T) {
	p := need(t)
	for name, form := range forms {
		r, w, err := os.Pipe()
		if err != nil {
			t.Fatal(err)
		}
		cmd := call{args: append(form, "--", p.probe, "cat", "/dev/fd/3")}.command(t)
		cmd.ExtraFiles = []*os.File{r}
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		r.Close()
		io.WriteString(w, "from the job")
		w.Close()
		got, _ := io.ReadAll(out)
		if err := cmd.Wait(); err != nil || string(got) != "from the job" {
			t.Errorf("%s: got %q, %v", name, got, err)
		}
	}
}

func TestExecKeepsTheProcess(t *testing.T) {
	p := need(t)
	cmd := call{args: []string{"--", p.probe, "signals"}}.command(t)
	c := start(t, cmd)
	if c.pid != cmd.Process.Pid {
		t.Errorf("the command is process %d, berth-init was %d", c.pid, cmd.Process.Pid)
	}
}
