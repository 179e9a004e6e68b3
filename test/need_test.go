package test

import (
	"os"
	"os/exec"
	"testing"

	"golang.org/x/sys/unix"
)

// lacking skips a test that needs what this machine has not, and fails it where nothing may be
// missing.
func lacking(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("BERTH_TEST_FULL") != "" {
		t.Fatalf("missing: %s", what)
	}
	t.Skipf("missing: %s", what)
}

// need makes sure that programs are installed.
func need(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			if _, err := exec.LookPath("/usr/sbin/" + name); err != nil {
				lacking(t, "program "+name)
			}
		}
		if name == "crun" && hybrid() {
			lacking(t, "a cgroup layout that crun takes: /sys/fs/cgroup/unified is mounted beside version 1")
		}
	}
	if os.Geteuid() != 0 {
		needUserNamespaces(t)
	}
}

func hybrid() bool {
	var st unix.Statfs_t
	return unix.Statfs("/sys/fs/cgroup/unified", &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC
}

func needUserNamespaces(t testing.TB) {
	t.Helper()
	if out, err := exec.Command("unshare", "--user", "--map-root-user", "true").CombinedOutput(); err != nil {
		lacking(t, "user namespaces for ordinary users: "+string(out))
	}
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can do this")
	}
}

func needUser(t testing.TB) {
	t.Helper()
	if os.Geteuid() == 0 {
		t.Skip("about ordinary users")
	}
}

// eachDriver runs a test with each of berth's drivers, at the same time.
func eachDriver(t *testing.T, f func(t *testing.T, s *site)) {
	drivers(t, func(t *testing.T, s *site) {
		t.Parallel()
		f(t, s)
	})
}

// eachDriverInTurn is for tests that act on all containers of the user, as gc does.
func eachDriverInTurn(t *testing.T, f func(t *testing.T, s *site)) { drivers(t, f) }

func drivers(t *testing.T, f func(t *testing.T, s *site)) {
	for _, driver := range []string{"runc", "crun"} {
		t.Run(driver, func(t *testing.T) {
			need(t, driver, "busybox")
			s := newSite(t)
			s.driver = driver
			f(t, s)
		})
	}
}
