package test

import (
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"sync"
	"testing"

	"golang.org/x/sys/unix"
)

// S-10: a configuration, a driver, or a directory above them that somebody else could change.
func TestFilesThatOthersCanChange(t *testing.T) {
	t.Parallel()
	need(t, "runc", "busybox", "setfacl")
	const stranger = 12345
	for _, what := range []string{"berth.toml", "berth-driver-runc", "."} {
		for name, spoil := range map[string]struct {
			how   func(t *testing.T, path string)
			words []string
			root  bool
		}{
			"writable by its group": {how: mode(0o775), words: []string{"chmod go-w"}},
			"writable by all":       {how: mode(0o757), words: []string{"chmod go-w"}},
			"sticky, but writable":  {how: mode(0o1777), words: []string{"chmod go-w"}},
			"writable by an ACL":    {how: acl, words: []string{"chmod go-w"}},
			"of a stranger":         {how: func(t *testing.T, path string) { check(t, os.Chown(path, stranger, 0)) }, words: []string{"uid 12345", "chown root"}, root: true},
			"a symbolic link":       {how: relocate, words: []string{"symbolic link"}},
			"a FIFO":                {how: func(t *testing.T, path string) { check(t, os.Remove(path)); check(t, unix.Mkfifo(path, 0o755)) }, words: []string{"not a regular file"}},
		} {
			if what == "." && (name == "a symbolic link" || name == "a FIFO") {
				continue
			}
			t.Run(what+" "+name, func(t *testing.T) {
				if spoil.root {
					needRoot(t)
				}
				s := newSite(t)
				s.configure(t, "[drivers.runc]\n")
				path := s.path(what)
				if what == "berth-driver-runc" { // not the one that all tests share
					check(t, os.Remove(path))
					check(t, copyFile(path, filepath.Join(programs, what), 0o755))
				}
				bundle := s.bundle(t, "true")
				spoil.how(t, path)
				refused(t, s.berth(t, "run", "--driver=runc", bundle), append(spoil.words, path)...)
				check(t, os.Chmod(s.dir, 0o755))
			})
		}
	}
}

func mode(bits uint32) func(*testing.T, string) {
	return func(t *testing.T, path string) { check(t, unix.Chmod(path, bits)) }
}

func acl(t *testing.T, path string) {
	if out, err := exec.Command("setfacl", "-m", "u:12345:rwx", path).CombinedOutput(); err != nil {
		t.Fatalf("setfacl: %v: %s", err, out)
	}
}

func relocate(t *testing.T, path string) {
	check(t, os.Rename(path, path+".real"))
	check(t, os.Symlink(path+".real", path))
}

// S-10: what configures nothing, or too much.
func TestConfigurationThatIsNone(t *testing.T) {
	t.Parallel()
	need(t, "runc", "busybox")
	s := newSite(t)
	bundle := s.bundle(t, "true")
	for name, c := range map[string]struct {
		text  string
		words []string
	}{
		"typo":             {"defualt_driver = \"runc\"\n", []string{"berth.toml:1:1", "defualt_driver", "default_driver"}},
		"wrong type":       {"init = \"yes\"\n", []string{"berth.toml:1:1", "init", "true or false"}},
		"duplicate table":  {"[drivers.runc]\n[drivers.runc]\n", []string{"berth.toml:2"}},
		"not TOML":         {"hello", []string{"berth.toml:1"}},
		"not UTF-8":        {"default_driver = \"\xff\"\n", []string{"berth.toml"}},
		"2 MiB":            {fmt.Sprintf("# %02097152d\n", 0), []string{"berth.toml"}},
		"driver's typo":    {"[drivers.runc]\nrutime = \"/usr/bin/runc\"\n", []string{"berth.toml:2", "rutime", "runtime"}},
		"driver's type":    {"[drivers.runc]\nno_pivot = \"yes\"\n", []string{"berth.toml:2", "no_pivot"}},
		"driver's value":   {"[drivers.runc]\nrootless = \"maybe\"\n", []string{"berth.toml:2", "rootless", "maybe"}},
		"relative runtime": {"[drivers.runc]\nruntime = \"runc\"\n", []string{"berth.toml:2", "absolute"}},
		"F-10 missing":     {"[drivers.runc]\nruntime = \"/no/such/runc\"\n", []string{"/no/such/runc"}},
		"F-10 directory":   {"[drivers.runc]\nruntime = \"/usr\"\n", []string{"/usr"}},
		"F-10 no program":  {"[drivers.runc]\nruntime = \"/etc/passwd\"\n", []string{"/etc/passwd"}},
	} {
		t.Run(name, func(t *testing.T) {
			s.configure(t, c.text)
			refused(t, s.berth(t, "run", "--driver=runc", bundle), c.words...)
		})
	}
}

// S-11, S-52: a job gets the driver that it may have, or none.
func TestDriverChoiceIsNeverReplaced(t *testing.T) {
	t.Parallel()
	need(t, "runc", "busybox")
	s := newSite(t)
	s.misbehaving(t, "plain")
	s.configure(t, "default_driver = \"runc\"\n[policy]\nuser_drivers = [\"runc\"]\n")
	annotated := s.bundle(t, "true", set("plain", "annotations", "org.berth.driver"))
	plain := s.bundle(t, "true")
	refused(t, s.berth(t, "run", "--driver=plain", plain), "plain", "user_drivers")
	refused(t, s.do(t, call{args: []string{"run", plain}, env: []string{"BERTH_DRIVER=plain"}}), "BERTH_DRIVER", "user_drivers")
	refused(t, s.berth(t, "run", annotated), "annotation", "user_drivers")
	s.configure(t, "default_driver = \"broken\"\n")
	s.write(t, "berth-driver-broken", "#!/bin/sh\nexit 1\n", 0o755)
	refused(t, s.berth(t, "run", plain), `"broken"`)
	s.configure(t, "default_driver = \"plain\"\n[drivers.plain]\ncommand = [\"/bin/echo\", \"plain\"]\n[policy]\nuser_drivers = [\"runc\"]\n")
	if r := s.berth(t, "run", annotated); r != (result{stdout: "plain\n"}) {
		t.Errorf("asking for the site's own choice: %+v", r)
	}
}

// S-13: the driver that was hashed is the driver that runs, however often somebody swaps the file.
func TestPinnedDriver(t *testing.T) {
	t.Parallel()
	need(t, "busybox")
	s := newSite(t)
	s.misbehaving(t, "pinned")
	data, err := os.ReadFile(s.path("berth-driver-pinned"))
	check(t, err)
	bundle := s.bundle(t, "true")
	pin := func(sum string) {
		s.configure(t, fmt.Sprintf("default_driver = \"pinned\"\n[drivers.pinned]\nsha256 = %q\n", sum))
	}
	pin(fmt.Sprintf("%x", sha256.Sum256(nil)))
	refused(t, s.berth(t, "run", bundle), "checksum", s.path("berth-driver-pinned"), "berth.toml:3")

	pin(fmt.Sprintf("%x", sha256.Sum256(data)))
	evil := s.write(t, "evil", "#!/bin/sh\ntouch "+s.path("evil-ran")+"\n", 0o755)
	stop := make(chan struct{})
	var swapping sync.WaitGroup
	swapping.Go(func() {
		for i := 0; ; i++ {
			select {
			case <-stop:
				return
			default:
			}
			from := []string{evil, filepath.Join(programs, "misbehaving")}[i%2]
			_ = os.Remove(s.path("next"))
			_ = os.Link(from, s.path("next"))
			_ = os.Rename(s.path("next"), s.path("berth-driver-pinned"))
		}
	})
	for range 20 {
		if r := s.berth(t, "run", bundle); r.status != 0 {
			refused(t, r, "pinned")
		}
	}
	close(stop)
	swapping.Wait()
	if _, err := os.Stat(s.path("evil-ran")); err == nil {
		t.Error("a driver ran that is not the pinned one")
	}
}

// S-02: berth refuses to have more rights than its caller.
func TestSetuidIsRefused(t *testing.T) {
	t.Parallel()
	needRoot(t)
	need(t, "setpriv", "setcap")
	for name, prepare := range map[string]func(t *testing.T, s *site){
		"setuid": func(t *testing.T, s *site) { check(t, os.Chmod(s.path("berth"), 0o755|os.ModeSetuid)) },
		"setgid": func(t *testing.T, s *site) { check(t, os.Chmod(s.path("berth"), 0o755|os.ModeSetgid)) },
		"file capabilities": func(t *testing.T, s *site) {
			if out, err := exec.Command("setcap", "cap_sys_admin+ep", s.path("berth")).CombinedOutput(); err != nil {
				t.Fatalf("setcap: %v: %s", err, out)
			}
		},
	} {
		t.Run(name, func(t *testing.T) {
			s := newSite(t)
			check(t, os.Remove(s.path("berth")))
			check(t, copyFile(s.path("berth"), filepath.Join(programs, "berth"), 0o755))
			prepare(t, s)
			r := s.do(t, call{args: []string{"ps"}, prefix: []string{"setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"}})
			refused(t, r, "setuid", "setcap -r")
		})
	}
}
