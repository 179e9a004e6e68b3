package test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// These tests take turns, as those of prepare_test.go do.

// enrootSite is a site whose only runtime is the stand-in for enroot, with an image in its registry, and
// the bundle of that image.
func enrootSite(t *testing.T) (s *site, bundle string) {
	t.Helper()
	need(t, "busybox", "mksquashfs", "unsquashfs")
	s = newSite(t)
	s.driver = "enroot"
	s.link(t, "berth-driver-enroot", "berth-driver-enroot")
	s.mkdir(t, "enroot/registry")
	s.mkdir(t, "data")
	check(t, os.Chmod(s.path("data"), 0o1777))
	s.link(t, "enroot/enroot", "enroot")
	if out, err := exec.Command("mksquashfs", rootfs(t), s.path("enroot/registry/plain.sqsh"), "-quiet", "-no-progress", "-all-root").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	s.configure(t, "[drivers.enroot]\nruntime = \""+s.path("enroot/enroot")+"\"\nisolation = \"share\"\ndata = \""+s.path("data")+"\"\n")
	empty := s.mkdir(t, "empty")
	return s, s.bundle(t, "echo $TOKEN; ls /bin/busybox", func(config object) {
		config["root"] = object{"path": empty, "readonly": true}
		config["annotations"] = object{"org.berth.image": "docker://plain"}
	})
}

// imported counts the imports.
func (s *site) imported() int {
	return strings.Count(read(s.path("enroot/registry/imports")), "plain\n")
}

// unpacked are the images that there are.
func (s *site) unpacked(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(s.path("data/berth-*/*/*"))
	check(t, err)
	return found
}

// Eight tasks share one import, and at the end nothing of it is left.
func TestEnrootImportsOnce(t *testing.T) {
	s, bundle := enrootSite(t)
	if out := s.ok(t, "run", "-n", "8", bundle); strings.Count(out, "/bin/busybox\n") != 8 || strings.Count(out, s.token+"\n") != 8 {
		t.Errorf("%q", out)
	}
	if n := s.imported(); n != 1 {
		t.Errorf("imported %d times", n)
	}
	if left := s.unpacked(t); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// The task that imports is killed half-way, and with it enroot: another one imports. Neither leaves anything
// once the step has been released.
func TestEnrootLeaderDies(t *testing.T) {
	s, bundle := enrootSite(t)
	hang := s.path("enroot/registry/hang")
	if out, err := exec.Command("mkfifo", hang).CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	first := s.command(call{args: []string{"run", "--id", s.id(), "--launch", s.token, bundle}})
	bounded(t, first)
	eventually(t, "the first task imports", func() bool { return s.imported() == 1 })
	var out strings.Builder
	second := s.command(call{args: []string{"run", "--id", s.id(), "--launch", s.token, bundle}})
	second.Stdout = &out
	bounded(t, second)
	check(t, os.Remove(hang)) // the first waits for a writer; the second does not find it
	check(t, first.Process.Kill())
	_ = first.Wait()
	if err := second.Wait(); err != nil || out.String() != s.token+"\n/bin/busybox\n" {
		t.Errorf("the second task: %v, %q", err, out.String())
	}
	if n := s.imported(); n != 2 {
		t.Errorf("imported %d times", n)
	}
	s.ok(t, "gc")
	if left := s.unpacked(t); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}

// A squashfs image as root.path, and one that nobody can use: the same line for all tasks, before any starts.
func TestEnrootTakesFiles(t *testing.T) {
	s, _ := enrootSite(t)
	image := func(path string) string {
		return s.bundle(t, "exit 42", func(config object) { config["root"] = object{"path": path, "readonly": true} })
	}
	if r := s.berth(t, "run", image(s.path("enroot/registry/plain.sqsh"))); r != (result{status: 42}) {
		t.Errorf("%+v", r)
	}
	r := s.berth(t, "run", image(s.write(t, "broken.sqsh", "hsqs", 0o644)))
	if r.status != 125 || !strings.Contains(r.stderr, "is truncated: it has 4 bytes") {
		t.Errorf("%+v", r)
	}
	s.ok(t, "gc")
	if left := s.unpacked(t); len(left) > 0 {
		t.Errorf("left: %q", left)
	}
}
