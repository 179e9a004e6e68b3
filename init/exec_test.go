package init_test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

func TestStatusOfTheCommand(t *testing.T) {
	p := need(t)
	for _, form := range [][]string{{}, {"--init"}, {"--init", "--signals=direct"}} {
		for _, want := range []int{0, 1, 2, 42, 125, 126, 127, 128, 255} {
			got := run(t, append(form, "--", p.probe, "exit", strconv.Itoa(want))...)
			if got != (result{status: want}) {
				t.Errorf("%v: exit %d: got %+v", form, want, got)
			}
		}
	}
}

func TestFailures(t *testing.T) {
	p := need(t)
	dir := openDir(t)
	plain := write(t, 0o644, "#!/bin/sh\n", dir, "plain")
	noInterpreter := write(t, 0o755, "#! /no/such/sh -e\necho\n", dir, "no-interpreter")
	windows := write(t, 0o755, "#!/bin/sh\r\necho\r\n", dir, "windows")
	unreadable := write(t, 0o311, "#!/no/such/sh\n", dir, "unreadable")
	chained := write(t, 0o755, "#!"+noInterpreter+"\n", dir, "chained")
	text := write(t, 0o755, "echo a shell ran me\n", dir, "text")
	empty := write(t, 0o755, "", dir, "empty")
	foreign := write(t, 0o755, "\x7fELF\x02\x01\x01\x00 not really", dir, "foreign")
	private := filepath.Join(dir, "private")
	write(t, 0o755, "#!/bin/sh\n", private, "program")
	if err := os.Chmod(private, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(private, 0o700) })
	if err := os.Symlink("gone", filepath.Join(dir, "dangling")); err != nil {
		t.Fatal(err)
	}
	loop := filepath.Join(dir, "loop")
	if err := os.Symlink("loop", loop); err != nil {
		t.Fatal(err)
	}
	long := strings.Repeat("x", 300)

	tests := []struct {
		name   string
		cmd    string
		status int
		text   string
	}{
		{"no such name", "nosuch", 127, `"nosuch": not found in the container`},
		{"no such path", "/no/such", 127, `"/no/such": not found in the container`},
		{"below a file", plain + "/x", 127, `"` + plain + `/x": not found in the container`},
		{"no name", "", 127, `"": not found in the container`},
		{"dangling link", dir + "/dangling", 127, `"` + dir + `/dangling": not found in the container`},
		{"name with control characters", "a\nb\x1b[2J", 127, `"a?b?[2J": not found in the container`},
		{"name beyond a file system's limit", long, 127, `"` + long + `": not found in the container`},
		{"no interpreter", noInterpreter, 127, `"` + noInterpreter + `": its interpreter "/no/such/sh" is not in the container`},
		{"carriage return", windows, 127, `"` + windows + `": its interpreter "/bin/sh?" is not in the container`},
		{"unreadable script", unreadable, 127, `"` + unreadable + `": its interpreter or loader is not in the container`},
		{"interpreter of an interpreter", chained, 127, `"` + chained + `": its interpreter or loader is not in the container`},
		{"not executable", plain, 126, `"` + plain + `": Permission denied`},
		{"in a directory closed to us", private + "/program", 126, `"` + private + `/program": Permission denied`},
		{"directory", dir, 126, `"` + dir + `": is a directory`},
		{"text without an interpreter", text, 126, `"` + text + `": neither a program for this machine nor a script with a "#!" line`},
		{"empty file", empty, 126, `"` + empty + `": neither a program for this machine nor a script with a "#!" line`},
		{"not a program", foreign, 126, `"` + foreign + `": neither a program for this machine nor a script with a "#!" line`},
		{"links in a circle", loop, 126, `"` + loop + `": `},
	}
	for _, tt := range tests {
		for _, form := range [][]string{{}, {"--init"}} {
			t.Run(tt.name+strings.Join(form, ""), func(t *testing.T) {
				got := call{args: append(form, "--", tt.cmd, "arg"), dir: "/", uid: nobody, exe: p.init}.run(t)
				text, one := strings.CutSuffix(got.stderr, "\n")
				if got.status != tt.status || got.stdout != "" || !one || strings.Contains(text, "\n") ||
					!strings.HasPrefix(text, "berth-init: "+tt.text) {
					t.Errorf("got %+v, want status %d and %q", got, tt.status, tt.text)
				}
			})
		}
	}
}

func TestMissingLoader(t *testing.T) {
	need(t)
	file := filepath.Join(openDir(t), "dynamic")
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	out, err := exec.Command(cc, "-Wl,--dynamic-linker=/no/such/ld.so", "-o", file, "testdata/probe.c").CombinedOutput()
	if err != nil {
		t.Fatalf("%s: %v\n%s", cc, err, out)
	}
	got := run(t, "--", file)
	want := result{status: 127, stderr: "berth-init: \"" + file + "\": its interpreter or loader is not in the container\n"}
	if got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

// The kernel counts the interpreter's name among a script's arguments, so the longest list that
// still starts berth-init is too long for the script.
func TestTooManyArguments(t *testing.T) {
	p := need(t)
	dir := openDir(t)
	for range 4 {
		dir = filepath.Join(dir, strings.Repeat("d", 40))
	}
	script := write(t, 0o755, "#!"+link(t, dir, "interpreter")+"\n", filepath.Dir(p.init), "s")
	starts := func(cmd string, n int) (result, bool) {
		args := []string{"--", cmd}
		for ; n > 0; n -= 100_000 {
			args = append(args, strings.Repeat("a", min(n, 100_000)))
		}
		c := call{args: args, env: []string{}, exe: p.init}.command(t)
		var stderr strings.Builder
		c.Stderr = &stderr
		if c.Start() != nil {
			return result{}, false
		}
		c.Wait()
		return result{status(c.ProcessState), "", stderr.String()}, true
	}
	lo, hi := 1, 64<<20 // starts, does not
	for hi-lo > 1 {
		mid := (lo + hi) / 2
		if _, ok := starts("/no", mid); ok {
			lo = mid
		} else {
			hi = mid
		}
	}
	got, _ := starts(script, lo-len(script))
	if got.status != 126 || !strings.Contains(got.stderr, `/s": Argument list too long`) {
		t.Errorf("with %d bytes: got %+v", lo, got)
	}
}

func TestUsage(t *testing.T) {
	p := need(t)
	for _, args := range [][]string{
		{}, {"--"}, {"--init"}, {"--cwd", "/"}, {"--cwd"}, {"true"}, {"--bogus", "--", "true"},
		{"--init=1", "--", "true"}, {"--init", "--signals=some", "--", "true"}, {"--init", "--status"},
		{"--signals=direct", "--", "true"}, {"--status", "/dev/null", "--", "true"}, {"--rm"}, {"--rm", "/a", "/b"},
		{"--pid", "9", "--", "true"}, {"--init", "--pid"}, {"--init", "--pid", "9x", "--", "true"}, {"--init", "--pid", "99999", "--", "true"},
	} {
		got := run(t, args...)
		if got.status != 125 || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 {
			t.Errorf("%q: got %+v", args, got)
		}
	}
	none := exec.Cmd{Path: p.init, Args: []string{}} // no argv[0] either
	if none.Run(); status(none.ProcessState) != 125 {
		t.Errorf("without argv[0]: %v", none.ProcessState)
	}
}

func TestPath(t *testing.T) {
	p := need(t)
	dir := openDir(t)
	write(t, 0o644, "", dir, "locked", "prog")
	write(t, 0o755, "", dir, "dir", "prog", "file")
	write(t, 0o755, "#!/no/such/sh\n", dir, "broken", "prog")
	write(t, 0o755, "echo\n", dir, "text", "prog")
	write(t, 0o644, "", dir, "file")
	link(t, dir, "first", "prog")
	link(t, dir, "second", "prog")
	link(t, dir, "second", "other")
	write(t, 0o755, "", dir, "private", "prog")
	if err := os.Chmod(filepath.Join(dir, "private"), 0); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.Chmod(filepath.Join(dir, "private"), 0o700) })

	tests := []struct {
		name, cmd, path string // the entries of path are below dir
		status          int
		text            string // of standard error; else the probe ran
	}{
		{"first wins", "prog", "first:second", 0, ""},
		{"missing directory", "prog", "none:first", 0, ""},
		{"file for a directory", "prog", "file:first", 0, ""},
		{"not executable, then good", "prog", "locked:first", 0, ""},
		{"directory of the name, then good", "prog", "dir:first", 0, ""},
		{"broken script, then good", "prog", "broken:first", 0, ""},
		{"closed directory, then good", "prog", "private:first", 0, ""},
		{"only not executable", "prog", "none:locked", 126, `/locked/prog": Permission denied`},
		{"only a directory", "prog", "dir", 126, `/dir/prog": is a directory`},
		{"only a broken script", "prog", "none:broken", 127, `/broken/prog": its interpreter "/no/such/sh"`},
		{"the first obstacle is named", "prog", "locked:broken", 126, `/locked/prog": Permission denied`},
		{"a closed directory proves nothing", "prog", "private", 127, `"prog": not found`},
		{"a file that is no program ends the search", "prog", "locked:text:first", 126, `/text/prog": neither`},
		{"entry beyond any path's length", "prog", strings.Repeat("x", 5000) + ":first", 0, ""},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			path := filepath.Join(dir, strings.ReplaceAll(tt.path, ":", ":"+dir+"/"))
			got := call{args: []string{"--", tt.cmd, "x"}, env: []string{"PATH=" + path}, uid: nobody, exe: p.init, dir: "/"}.run(t)
			if tt.text == "" {
				if want := (result{stdout: "prog\x00x\x00"}); got != want {
					t.Errorf("got %+v, want %+v", got, want)
				}
			} else if got.status != tt.status || !strings.Contains(got.stderr, tt.text) || got.stdout != "" {
				t.Errorf("got %+v, want status %d and %q", got, tt.status, tt.text)
			}
		})
	}
	for name, env := range map[string][]string{"empty entry": {"PATH=/none:"}, "empty": {"PATH="}, "leading": {"PATH=:/none"}} {
		got := call{args: []string{"--", "other"}, env: env, dir: filepath.Join(dir, "second")}.run(t)
		if got != (result{stdout: "other\x00"}) {
			t.Errorf("%s is the present directory: got %+v", name, got)
		}
	}
	if got := (call{args: []string{"--", "env"}, env: []string{"A=b"}}).run(t); got != (result{stdout: "A=b\n"}) {
		t.Errorf("without PATH: got %+v", got)
	}
}

func TestByName(t *testing.T) {
	p := need(t)
	dir := openDir(t)
	prog := link(t, dir, "prog")
	locked := write(t, 0o644, "", dir, "elsewhere", "prog")
	tests := []struct {
		name, cmd string
		byName    bool
		want      result
	}{
		{"path of the node", "/node/bin/prog", true, result{stdout: "prog\x00x\x00"}},
		{"path below a file", prog + "/prog", true, result{stdout: "prog\x00x\x00"}},
		{"path there is", prog, true, result{stdout: prog + "\x00x\x00"}},
		{"name", "prog", true, result{stdout: "prog\x00x\x00"}},
		{"not asked for", "/node/bin/prog", false, result{status: 127, stderr: `"/node/bin/prog": not found in the container`}},
		{"nowhere", "/node/bin/none", true, result{status: 127, stderr: `"/node/bin/none": not found in the container`}},
		{"no last part", "/node/bin/", true, result{status: 127, stderr: `"/node/bin/": not found in the container`}},
		{"a path is not left for another reason", locked, true, result{status: 126, stderr: `"` + locked + `": Permission denied`}},
		{"a relative path is as it was typed", "./none/prog", true, result{status: 127, stderr: `"./none/prog": not found in the container`}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			args := []string{"--", tt.cmd, "x"}
			if tt.byName {
				args = append([]string{"--by-name"}, args...)
			}
			if tt.want.stderr != "" {
				tt.want.stderr = "berth-init: " + tt.want.stderr + "\n"
			}
			got := call{args: args, env: []string{"PATH=" + dir}, exe: p.init}.run(t)
			if got != tt.want {
				t.Errorf("got %+v, want %+v", got, tt.want)
			}
		})
	}
}

func TestWorkingDirectory(t *testing.T) {
	p := need(t)
	base := openDir(t)
	closed := filepath.Join(base, "closed")
	if err := os.Mkdir(closed, 0); err != nil {
		t.Fatal(err)
	}
	file := write(t, 0o644, "", base, "file")
	for _, tt := range []struct{ dir, want string }{
		{base, base}, {base + "/none", "/"}, {"none", "/"}, {"", "/"}, {file, "/"}, {file + "/x", "/"},
	} {
		got := call{args: []string{"--cwd", tt.dir, "--", "pwd", "-P"}, dir: "/"}.run(t)
		if got != (result{stdout: tt.want + "\n"}) {
			t.Errorf("--cwd %q: got %+v, want %s", tt.dir, got, tt.want)
		}
	}
	for second, want := range map[string]string{"/": "/", "/none": base} {
		if got := (call{args: []string{"--cwd", base, "--cwd", second, "--", "pwd", "-P"}, dir: "/"}).run(t); got != (result{stdout: want + "\n"}) {
			t.Errorf("--cwd %s --cwd %s: got %+v, want %s", base, second, got, want)
		}
	}
	want := result{status: 126, stderr: fmt.Sprintf("berth-init: cannot enter %q: Permission denied\n", closed)}
	if got := (call{args: []string{"--cwd", closed, "--", "pwd"}, dir: "/", uid: nobody, exe: p.init}).run(t); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}
