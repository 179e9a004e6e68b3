package slurm

import (
	"os"
	"os/exec"
	"testing"
)

// lacking skips a test that needs what this machine has not, and fails it where nothing may be
// missing.
func lacking(t testing.TB, what string) {
	t.Helper()
	if full() {
		t.Fatalf("missing: %s", what)
	}
	t.Skipf("missing: %s", what)
}

func full() bool { return os.Getenv("BERTH_TEST_FULL") != "" }

func needRoot(t testing.TB) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can start a cluster")
	}
}

func needPrograms(t testing.TB, names ...string) {
	t.Helper()
	for _, name := range names {
		if _, err := exec.LookPath(name); err != nil {
			lacking(t, "program "+name+": run test/setup")
		}
	}
}
