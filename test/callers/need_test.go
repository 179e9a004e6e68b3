package callers

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"
)

// lacking skips a test that needs what this machine has not, and fails it where nothing may be
// missing.
func lacking(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("BERTH_TEST_FULL") != "" {
		t.Fatalf("missing: %s: run test/setup", what)
	}
	t.Skipf("missing: %s: run test/setup", what)
}

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a node")
	}
}

// need makes sure that programs of the machine are installed.
func need(t testing.TB, paths ...string) {
	t.Helper()
	for _, path := range paths {
		if _, err := exec.LookPath(path); err != nil {
			lacking(t, "program "+path)
		}
	}
}

// programs is the directory of berth's programs.
func programs(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("BERTH_BIN")
	if dir == "" {
		dir = "../../bin"
	}
	if _, err := os.Stat(filepath.Join(dir, "berth-oci")); err != nil {
		lacking(t, "berth's programs: run make build, or set BERTH_BIN")
	}
	return dir
}
