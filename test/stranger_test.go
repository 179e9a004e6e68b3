package test

import (
	"os"
	"os/exec"
	"testing"
)

// The example of docs/driver-author.md, which is no part of this module, runs containers behind the
// real host, and refuses what its runtime cannot do.
func TestStrangersDriver(t *testing.T) {
	t.Parallel()
	need(t, "bwrap", "busybox", "go")
	s := newSite(t)
	s.driver = "bubblewrap"
	build := exec.Command("go", "build", "-trimpath", "-o", s.path("berth-driver-bubblewrap"), ".")
	build.Dir = "../examples/driver-bubblewrap"
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building the example: %v\n%s", err, out)
	}
	r := s.berth(t, "run", "--id", s.id(), s.bundle(t, "hostname; echo x 2>/dev/null >/file || exit 42"))
	if r != (result{status: 42, stdout: "berth-test\n"}) { // the root file system is read-only
		t.Errorf("%+v", r)
	}
	masked := s.bundle(t, "true", set(list{"/proc/version"}, "linux", "maskedPaths"))
	refused(t, s.berth(t, "run", masked), `driver "bubblewrap": `, "linux.maskedPaths")
	// Nothing runs the hook that removes the directory: the next call did, or this one.
	s.ok(t, "gc")
}
