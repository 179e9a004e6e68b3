package sdk_test

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// The limit is the one before Go's start-up raised it, which this test's own process shows.
func TestOpenFilesIsTheLimitOfTheTask(t *testing.T) {
	if os.Getenv("SDK_TEST_LIMITED") == "" {
		cmd := exec.Command("/bin/sh", "-c", `ulimit -Sn 100 && ulimit -Hn 200 && exec "$@"`, "sh", os.Args[0], "-test.run=^"+t.Name()+"$", "-test.v")
		cmd.Env = append(os.Environ(), "SDK_TEST_LIMITED=yes")
		if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "--- PASS") {
			t.Fatalf("with limits: %v\n%s", err, out)
		}
		return
	}
	if got, want := sdk.OpenFiles(), (specs.POSIXRlimit{Type: "RLIMIT_NOFILE", Soft: 100, Hard: 200}); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
	var now syscall.Rlimit
	if err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &now); err != nil || now.Cur == 100 {
		t.Errorf("Go leaves the limit at %d (%v): nothing of this is needed any more", now.Cur, err)
	}
}
