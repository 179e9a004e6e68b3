package test

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// inNode is a prefix that runs the script in a mount namespace of its own, calls berth there as an
// ordinary user or as root, and lists into the file left what is below /run/berth then.
func (s *site) inNode(script string, ordinary bool) []string {
	become := ""
	if ordinary {
		become = "setpriv --reuid=12345 --regid=12345 --clear-groups"
	}
	text := fmt.Sprintf(`set -e; mount --make-rprivate /; %s
		set +e; %s "$@"; status=$?; ls -A /run/berth/*/ >%s 2>/dev/null; exit $status`, script, become, s.path("left"))
	return []string{"unshare", "--mount", "sh", "-c", text, "sh"}
}

// F-30, F-31, F-32, S-30: a node whose container directory is missing, full, read-only, squatted
// or not what it should be.
func TestContainerDirectoryThatIsNone(t *testing.T) {
	t.Parallel()
	needRoot(t)
	need(t, "runc", "busybox", "setpriv")
	s := newSite(t)
	s.driver = "runc"
	bundle := s.bundle(t, "true")
	const fresh = "mount -t tmpfs tmpfs /run; "
	for name, c := range map[string]struct {
		script   string
		ordinary bool
		env      string
		words    []string // of the refusal; nil: the container's directory can be made
	}{
		"F-30 full":                     {"mount -t tmpfs -o size=8k tmpfs /run/berth; head -c 8192 /dev/zero >/run/berth/fill || :", false, "", []string{"no space left", "/run/berth"}},
		"F-30 without inodes":           {"mount -t tmpfs -o nr_inodes=2 tmpfs /run/berth", false, "", []string{"no space left", "/run/berth"}},
		"F-31 read-only":                {"mount -t tmpfs -o ro tmpfs /run/berth", false, "", []string{"read-only file system", "/run/berth"}},
		"F-31 closed to others":         {"mount -t tmpfs -o mode=755 tmpfs /run/berth", true, "", []string{"/run/berth", "chmod 1777"}},
		"F-31 not sticky":               {"mount -t tmpfs -o mode=777 tmpfs /run/berth", true, "", []string{"/run/berth", "sticky", "chmod 1777"}},
		"F-31 of a stranger":            {"mount -t tmpfs -o mode=1777,uid=54321 tmpfs /run/berth", true, "", []string{"/run/berth", "54321"}},
		"F-31 a symbolic link":          {fresh + "mkdir -m 1777 /run/real; ln -s /run/real /run/berth", true, "", []string{"/run/berth"}},
		"F-31 a file":                   {fresh + ": >/run/berth", true, "", []string{"/run/berth"}},
		"F-32 missing":                  {fresh, true, "XDG_RUNTIME_DIR=", []string{"/run/berth", "install -d -m 1777"}},
		"F-32 runtime dir missing":      {fresh, true, "XDG_RUNTIME_DIR=/run/user/12345", []string{"XDG_RUNTIME_DIR", "/run/user/12345"}},
		"F-32 runtime dir relative":     {fresh, true, "XDG_RUNTIME_DIR=run", []string{"XDG_RUNTIME_DIR"}},
		"F-32 runtime dir foreign":      {fresh + "mkdir -m 755 /run/x", true, "XDG_RUNTIME_DIR=/run/x", []string{"XDG_RUNTIME_DIR", "/run/x"}},
		"F-32 runtime dir":              {fresh + "mkdir -m 700 /run/x; chown 12345 /run/x", true, "XDG_RUNTIME_DIR=/run/x", nil},
		"F-32 runtime dir, long":        {fresh + "d=/run/" + strings.Repeat("x", 200) + "; mkdir -m 700 $d; chown 12345 $d", true, "XDG_RUNTIME_DIR=/run/" + strings.Repeat("x", 200), nil},
		"root makes it":                 {fresh, false, "", nil},
		"S-30 squatted":                 {"mount -t tmpfs -o mode=1777 tmpfs /run/berth; mkdir /run/berth/12345; chown 54321 /run/berth/12345", true, "", nil},
		"S-30 squatted by a link":       {"mount -t tmpfs -o mode=1777 tmpfs /run/berth; ln -s /etc /run/berth/12345", true, "", nil},
		"S-30 squatted by own, open":    {"mount -t tmpfs -o mode=1777 tmpfs /run/berth; mkdir -m 777 /run/berth/12345; chown 12345 /run/berth/12345", true, "", nil},
		"S-34 TMPDIR missing":           {":", true, "TMPDIR=/no/such", nil},
		"S-34 TMPDIR of 200 characters": {":", true, "TMPDIR=/tmp/" + strings.Repeat("x", 200), nil},
	} {
		t.Run(name, func(t *testing.T) {
			r := s.do(t, call{args: []string{"run", "--dry-run", bundle}, prefix: s.inNode(c.script, c.ordinary), env: []string{c.env}})
			if c.words != nil {
				refused(t, r, c.words...)
			} else if r.status != 0 || r.stderr != "" {
				t.Errorf("%+v", r)
			}
			if name == "S-34 TMPDIR missing" || name == "S-34 TMPDIR of 200 characters" {
				return // others are at work in that directory
			}
			if left := read(s.path("left")); strings.Trim(left, "\n") != "" && !strings.HasPrefix(left, "/run/berth") {
				t.Errorf("left: %q", left)
			}
		})
	}
}

// F-30, F-31: what the kernel refuses in the middle of the work is told with the path.
func TestFailingSystemCalls(t *testing.T) {
	t.Parallel()
	needRoot(t)
	need(t, "runc", "busybox", "strace")
	s := newSite(t)
	s.driver = "runc"
	bundle := s.bundle(t, "true")
	for _, c := range []struct{ inject, word string }{
		{"mkdirat:error=ENOSPC:when=2+", "no space left"}, {"mkdirat:error=EDQUOT:when=2+", "quota"},
		{"renameat:error=EIO", "input/output error"}, {"renameat:error=ENOSPC", "no space left"},
		{"flock:error=ENOLCK", "no locks available"}, {"fchmod:error=EROFS", "read-only"},
		{"socket:error=EMFILE", ""}, {"execve:error=EACCES:when=1", ""},
	} {
		t.Run(c.inject, func(t *testing.T) {
			name, _, _ := strings.Cut(c.inject, ":")
			prefix := []string{"strace", "-f", "-qqq", "-o", "/dev/null", "-e", "trace=" + name, "-e", "inject=" + c.inject}
			r := s.do(t, call{args: []string{"run", bundle}, prefix: prefix})
			if c.word == "" {
				if r.status == 0 && name == "socket" {
					t.Errorf("%+v", r)
				}
				return
			}
			refused(t, r, c.word)
		})
	}
}

// F-33, F-34, F-35: limits that leave little. Go itself needs threads, memory and descriptors before
// main; where it does not get them it ends with status 2. Nothing is left in any case.
func TestTightLimits(t *testing.T) {
	t.Parallel()
	needRoot(t)
	need(t, "runc", "busybox", "prlimit", "setpriv")
	s := newSite(t)
	s.driver = "runc"
	bundle := s.bundle(t, "true")
	for _, limit := range []string{
		"--nproc=1", "--nproc=4", "--nproc=8", "--nproc=12", "--as=16777216", "--as=268435456", "--nofile=3", "--nofile=4", "--nofile=6",
		"--nofile=8", "--nofile=10", "--nofile=12", "--nofile=16", "--fsize=0", "--fsize=100", "--stack=65536", "--memlock=0", "--data=8388608",
	} {
		t.Run(limit, func(t *testing.T) {
			id := s.id()
			r := s.do(t, call{
				args:   []string{"run", "--id", id, bundle},
				prefix: []string{"setpriv", "--reuid=12345", "--regid=12345", "--clear-groups", "prlimit", limit},
			})
			switch {
			case r.status == 125:
				refused(t, r)
			case r.stdout != "":
				t.Errorf("%+v", r)
			}
			s.do(t, call{args: []string{"delete", "--force", id}, prefix: []string{"setpriv", "--reuid=12345", "--regid=12345", "--clear-groups"}})
			if left := s.stillThere(t); left != "" {
				t.Errorf("left: %s", left)
			}
		})
	}
}

// F-40: where user namespaces are off, berth says so before the runtime stumbles.
func TestUserNamespacesAreOff(t *testing.T) {
	needRoot(t)
	eachDriver(t, func(t *testing.T, s *site) {
		off := `echo 0 >/proc/sys/user/max_user_namespaces && exec setpriv --reuid=12345 --regid=12345 --clear-groups "$@"`
		all := []syscall.SysProcIDMap{{Size: 65536}}
		inside := &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER, UidMappings: all, GidMappings: all, GidMappingsEnableSetgroups: true}
		prefix := []string{"sh", "-c", off, "sh"}
		if r := s.do(t, call{args: []string{"version"}, prefix: prefix, attr: inside}); r.status != 0 {
			t.Fatalf("%+v", r)
		}
		refused(t, s.do(t, call{args: []string{"run", s.bundle(t, "true")}, prefix: prefix, attr: inside}), "user namespaces", "max_user_namespaces")
	})
}
