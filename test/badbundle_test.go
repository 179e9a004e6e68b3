package test

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// F-50, S-41: a config.json that is none. Both runtimes get the same answer: it is berth's.
func TestBrokenConfigs(t *testing.T) {
	t.Parallel()
	need(t, "runc", "busybox")
	s := newSite(t)
	s.driver = "runc"
	for name, c := range map[string]struct {
		make  func(t *testing.T, dir string)
		words []string
	}{
		"F-50 no bundle":        {func(t *testing.T, dir string) { check(t, os.Remove(dir)) }, []string{"no such file"}},
		"F-50 bundle is a file": {func(t *testing.T, dir string) { check(t, os.Remove(dir)); put(t, dir, "") }, []string{"not a directory"}},
		"F-50 missing":          {func(*testing.T, string) {}, []string{"config.json", "no such file"}},
		"F-50 empty":            {content(""), []string{"config.json"}},
		"F-50 truncated":        {content(`{"ociVersion": "1.0.2", "process"`), []string{"config.json:1:"}},
		"F-50 null":             {content("null"), []string{"config.json:1:1", "null"}},
		"F-50 array":            {content("[]"), []string{"config.json:1:1", "array"}},
		"F-50 deep":             {content(strings.Repeat(`{"a":`, 1_000_000)), []string{"config.json:1:", "deep"}},
		"F-50 duplicate key":    {content("{\n \"ociVersion\": \"1.0.2\",\n \"ociVersion\": \"1.0.2\"}"), []string{"config.json:3:2", "ociVersion"}},
		"F-50 trailing data":    {content(`{"ociVersion": "1.0.2"} {}`), []string{"config.json:1:25"}},
		"F-50 not UTF-8":        {content("{\"ociVersion\": \"1.0.2\", \"hostname\": \"\xff\"}"), []string{"config.json:1:", "UTF-8"}},
		"F-50 100 MB":           {sized(100 << 20), []string{"config.json", "larger than 16 MiB"}},
		"F-50 FIFO":             {func(t *testing.T, dir string) { check(t, unix.Mkfifo(dir+"/config.json", 0o644)) }, []string{"not a regular file"}},
		"F-50 directory":        {func(t *testing.T, dir string) { check(t, os.Mkdir(dir+"/config.json", 0o755)) }, []string{"not a regular file"}},
		"F-50 symbolic link":    {func(t *testing.T, dir string) { check(t, os.Symlink("/etc/passwd", dir+"/config.json")) }, []string{"symbolic link"}},
		"F-50 socket":           {func(t *testing.T, dir string) { check(t, unix.Mknod(dir+"/config.json", unix.S_IFSOCK|0o644, 0)) }, []string{"not a regular file"}},
		"F-50 wrong type":       {content(`{"ociVersion": "1.0.2", "process": {"args": "sh"}}`), []string{"process.args"}},
		"F-50 letter case":      {content(`{"ociVersion": "1.0.2", "Hooks": {}}`), []string{"Hooks", "hooks"}},
	} {
		t.Run(name, func(t *testing.T) {
			dir := s.mkdir(t, s.id())
			c.make(t, dir)
			refused(t, s.berth(t, "run", dir), c.words...)
			refused(t, s.berth(t, "create", "--id", s.id(), dir), c.words...)
		})
	}
	t.Run("F-50 mode 0000", func(t *testing.T) {
		needUser(t)
		dir := s.bundle(t, "true")
		check(t, os.Chmod(dir+"/config.json", 0))
		refused(t, s.berth(t, "run", dir), "config.json", "permission denied")
	})
}

func check(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func put(t testing.TB, path, text string) {
	t.Helper()
	check(t, os.WriteFile(path, []byte(text), 0o644))
}

func content(text string) func(*testing.T, string) {
	return func(t *testing.T, dir string) { put(t, dir+"/config.json", text) }
}

func sized(bytes int64) func(*testing.T, string) {
	return func(t *testing.T, dir string) {
		put(t, dir+"/config.json", "{")
		check(t, os.Truncate(dir+"/config.json", bytes))
	}
}

// F-51, F-52, F-54, S-42, S-45: a document that is one, but asks for what cannot be.
func TestBundlesThatCannotRun(t *testing.T) {
	t.Parallel()
	need(t, "runc", "busybox")
	s := newSite(t)
	s.driver = "runc"
	file := s.write(t, "file", "", 0o644)
	for name, c := range map[string]struct {
		edit  edit
		words []string
	}{
		"F-51 NUL":                  {set(list{"A=b\x00c"}, "process", "env"), []string{"NUL", "config.json:1:"}},
		"F-51 no equals sign":       {set(list{"PATH=/bin", "FOO"}, "process", "env"), []string{"process.env[1]", "FOO"}},
		"F-51 no name":              {set(list{"=x"}, "process", "env"), []string{"process.env[0]"}},
		"F-51 128 KiB":              {set(list{"BIG=" + strings.Repeat("x", 128<<10)}, "process", "env"), []string{"process.env[0] (BIG)", "131071"}},
		"F-51 too much in all":      {set(many("V", 60_000, 80), "process", "env"), []string{"process.args and process.env", "the largest is"}},
		"F-52 rootfs missing":       {set("/no/such/rootfs", "root", "path"), []string{"root.path", "no such file"}},
		"F-52 rootfs relative":      {set("nowhere", "root", "path"), []string{"root.path", "nowhere"}},
		"F-52 rootfs is a file":     {set(file, "root", "path"), []string{"root.path", "not a directory"}},
		"F-52 no root":              {set(nil, "root"), []string{"root"}},
		"F-53 no args":              {set(list{}, "process", "args"), []string{"process.args"}},
		"F-54 relative cwd":         {set("work", "process", "cwd"), []string{"process.cwd", "work"}},
		"F-54 cwd in /proc":         {set("/proc/self/fd/7", "process", "cwd"), []string{"process.cwd"}},
		"F-54 cwd with ..":          {set("/work/../..", "process", "cwd"), []string{"process.cwd"}},
		"F-54 mount source missing": {add(object{"destination": "/mnt", "source": "/no/such/source", "options": list{"bind"}}, "mounts"), []string{"mounts[3].source", "/no/such/source"}},
		"F-54 mount destination":    {add(object{"source": "/etc", "options": list{"bind"}}, "mounts"), []string{"mounts[3].destination"}},
		"S-45 version 2":            {set("2.0.0", "ociVersion"), []string{"ociVersion", "2.0.0"}},
		"S-45 no version":           {set("", "ociVersion"), []string{"ociVersion"}},
	} {
		t.Run(name, func(t *testing.T) {
			refused(t, s.berth(t, "run", s.bundle(t, "true", c.edit)), append(c.words, "config.json")...)
		})
	}
	t.Run("F-54 device missing", func(t *testing.T) {
		needUser(t)
		s.configure(t, "[policy]\ndevices = [\"*\", \"/dev/*\"]\n")
		device := object{"path": "/dev/nosuch", "type": "c", "major": 1, "minor": 3}
		refused(t, s.berth(t, "run", s.bundle(t, "true", set(list{device}, "linux", "devices"))), "linux.devices[0]", "/dev/nosuch")
	})
}

func many(name string, n, size int) list {
	var env list
	for i := range n {
		env = append(env, fmt.Sprintf("%s%d=%s", name, i, strings.Repeat("x", size)))
	}
	return env
}

// S-45: every version of the specification that exists runs, also where the runtime is older.
func TestSpecificationVersions(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		for _, version := range []string{"1.0.0", "1.0.2", "1.0.2-dev", "1.1.0", "1.2.1", "1.3.0"} {
			if r := s.berth(t, "run", s.bundle(t, "echo ran", set(version, "ociVersion"))); r != (result{stdout: "ran\n"}) {
				t.Errorf("%s: %+v", version, r)
			}
		}
	})
}

// F-51: what can be passed on arrives bit by bit.
func TestEnvironmentArrivesExactly(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		env := list{"PATH=/bin", "EMPTY=", "SPACES= a  b ", "LINES=a\nb\n", "DOLLAR=$HOME `id` $(id)", `QUOTES='"\`, "UTF=äöü€😀", "SAME=1", "SAME=2", "LONG=" + strings.Repeat("x", 127<<10)}
		r := s.berth(t, "run", "--env", "OPTION=a=b", s.bundle(t, "cat /proc/self/environ", set(env, "process", "env")))
		if r.status != 0 || r.stderr != "" {
			t.Fatalf("%+v", r)
		}
		got := map[string]int{}
		for entry := range strings.SplitSeq(r.stdout, "\x00") {
			got[entry]++
		}
		for _, entry := range env {
			if want := entry.(string); got[want] != 1 && want != "SAME=1" || want == "SAME=1" && got[want] != 0 {
				t.Errorf("%.40q is there %d times", want, got[want])
			}
		}
		if got["OPTION=a=b"] != 1 {
			t.Errorf("OPTION is missing")
		}
	})
}

// S-04, S-43: names and arguments that a shell would read otherwise.
func TestHostileStrings(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		args := []string{"", " ", "-x", "--", "$(id)", "`id`", ";id>" + s.path("pwned"), "a\nb", "'", `"`, `\`, "*", "~", "äö", "%s%n", "{}", "\x01\x1b[31m"}
		text, err := json.Marshal(args)
		check(t, err)
		dir := s.mkdir(t, "x;id>${OUT};: '\" \n$(id)")
		from := s.bundle(t, `printf '%s\0' "$@"`, add("argv0", "process", "args"))
		check(t, os.Rename(filepath.Join(from, "config.json"), filepath.Join(dir, "config.json")))
		r := s.berth(t, append([]string{"run", dir, "--", "sh", "-c", `printf '%s\0' "$@"`, "argv0"}, args...)...)
		if want := strings.Join(args, "\x00") + "\x00"; r.status != 0 || r.stdout != want {
			t.Errorf("%s:\nwant %q\ngot  %q, status %d, stderr %q", text, want, r.stdout, r.status, r.stderr)
		}
		if _, err := os.Lstat(s.path("pwned")); err == nil {
			t.Error("a shell ran")
		}
	})
}
