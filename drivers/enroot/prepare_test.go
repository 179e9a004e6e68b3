package main

import (
	"context"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

// squash makes a SquashFS image of a directory.
func squash(t *testing.T, dir, file string) {
	t.Helper()
	if out, err := exec.Command("mksquashfs", dir, file, "-quiet", "-no-progress", "-all-root").CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
}

// prepare writes the bundle, prepares its step, and returns what was reported.
func (l *lab) prepare(t *testing.T) ([]string, error) {
	t.Helper()
	l.write(t)
	var texts []string
	err := l.Prepare(t.Context(), l.c, func(p sdk.Progress) { texts = append(texts, p.Text) })
	return texts, err
}

func (l *lab) release(t *testing.T) {
	t.Helper()
	for range 2 {
		must(t, l.Release(t.Context(), l.c.Step))
	}
	for _, dir := range []string{l.path("step"), l.path("shared/berth-*")} {
		if left, _ := filepath.Glob(dir + "/*"); len(left) > 0 {
			t.Errorf("Release left %q", left)
		}
	}
}

// fromRegistry makes the image one of the stand-in's registry.
func (l *lab) fromRegistry(t *testing.T, name string) {
	t.Helper()
	l.settings.Runtime = program("enroot")
	l.spec.Root.Path, l.spec.Annotations = l.path("empty"), map[string]string{imageAnnotation: "docker://" + name}
	squash(t, l.path("image"), program("registry/"+name+".sqsh"))
	t.Cleanup(func() { _ = os.Remove(program("registry/" + name + ".sqsh")) })
}

func TestLiveSquash(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		must(t, os.WriteFile(l.path("image/mark"), []byte("unpacked\n"), 0o644))
		must(t, os.Chmod(l.path("image/data"), 0o555)) // which only enroot's remove can empty
		squash(t, l.path("image"), l.path("image.sqsh"))
		l.spec.Root.Path = l.path("image.sqsh")
		if _, err := l.args("cat", "/mark").plan(t); sdk.Kind(err) != sdk.ErrUnavailable {
			t.Errorf("not prepared: %v", err)
		}
		if texts, err := l.prepare(t); err != nil || !slices.Contains(texts, "unpacking image") {
			t.Fatalf("%v, %q", err, texts)
		}
		l.expect(t, 0, "unpacked\n")
		l.release(t)
	})
}

// An import reports what it does; a second Prepare has nothing to do; what only the import needed is gone.
func TestImport(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		l.fromRegistry(t, "plain")
		l.settings.Data, l.settings.Cache = l.path("shared"), l.path("kept")
		for _, dir := range []string{"shared", "kept"} {
			must(t, os.Mkdir(l.path(dir), 0o1777))
		}
		texts, err := l.prepare(t)
		if want := []string{"importing docker://plain", "fetching image manifest", "unpacking image", "extracting squashfs filesystem", "unpacking image"}; err != nil || !slices.Equal(texts, want) {
			t.Errorf("%v, %q", err, texts)
		}
		if texts, err := l.prepare(t); err != nil || len(texts) > 0 {
			t.Errorf("again: %v, %q", err, texts)
		}
		if files, _ := filepath.Glob(l.path("shared/berth-*/7.0.n1/*/*")); len(files) != 1 || filepath.Base(files[0]) != "data" {
			t.Errorf("beside the image there is %q", files)
		}
		l.args("ls", "/bin/busybox").expect(t, 0, "/bin/busybox\n")
		l.release(t)
	})
}

// What a Prepare that died has left, or still writes, is nobody's image, and goes with the step.
func TestPrepareTakesOver(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		l.fromRegistry(t, "again")
		must(t, os.MkdirAll(l.path("step/enroot/new.123/data/image/bin"), 0o755))
		must(t, os.Chmod(l.path("step/enroot/new.123/data/image"), 0o555))
		_, err := l.prepare(t)
		must(t, err)
		l.args("ls", "/bin/busybox").expect(t, 0, "/bin/busybox\n")
		l.release(t)
	})
}

func TestImportFails(t *testing.T) {
	l := newLab(t)
	l.fromRegistry(t, "missing")
	must(t, os.Remove(program("registry/missing.sqsh")))
	_, err := l.prepare(t)
	if want := "importing docker://missing: enroot: URL https://registry/missing returned error code: 404 Not Found"; err == nil || err.Error() != want || sdk.Kind(err) != sdk.ErrUnavailable {
		t.Errorf("%v", err)
	}
	l.release(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := l.Prepare(ctx, l.c, func(sdk.Progress) {}); err == nil {
		t.Error("prepared although it was too late")
	}
	l.release(t)
}

func TestNoSpaceForAnImport(t *testing.T) {
	text := follow(strings.NewReader("[INFO] Extracting...\nWrite on output file failed because No space left on device\nFATAL ERROR: aborted\n"), func(sdk.Progress) {})
	err := full(text, sdk.ErrUnavailable)
	if !strings.Contains(text, "No space left") || !strings.Contains(sdk.Advice(err), "data in [drivers.enroot]") {
		t.Errorf("%q, %v", text, err)
	}
}

// What the driver cannot run it does not import.
func TestNothingIsImportedForNothing(t *testing.T) {
	l := newLab(t)
	l.fromRegistry(t, "refused")
	l.spec.Hostname = "own"
	if texts, err := l.prepare(t); sdk.Kind(err) != sdk.ErrUnsupported || len(texts) > 0 {
		t.Errorf("%v, %q", err, texts)
	}
}

// A container of the user's is started where it is, and stays.
func TestLiveUsersContainer(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		mine := l.path(".local/share/enroot/mine")
		must(t, os.MkdirAll(filepath.Dir(mine), 0o755))
		must(t, os.Rename(l.path("image"), mine))
		l.spec.Root.Path, l.spec.Annotations = l.path("empty"), map[string]string{imageAnnotation: "mine"}
		if texts, err := l.prepare(t); err != nil || len(texts) > 0 {
			t.Errorf("%v, %q", err, texts)
		}
		l.args("ls", "/bin/busybox").expect(t, 0, "/bin/busybox\n")
		l.release(t)
		if _, err := os.Stat(mine + "/bin/busybox"); err != nil {
			t.Error(err)
		}
	})
}

// A directory that somebody else has made in the shared one is not used.
func TestDirectoriesOfOthersAreRefused(t *testing.T) {
	parent := t.TempDir()
	own, err := ownDir(parent, "data")
	must(t, err)
	must(t, os.Chmod(own, 0o770))
	if _, err := ownDir(parent, "data"); sdk.Kind(err) != sdk.ErrUnavailable {
		t.Errorf("%v", err)
	}
	must(t, os.Remove(own))
	must(t, os.Symlink("/tmp", own))
	if _, err := ownDir(parent, "data"); sdk.Kind(err) != sdk.ErrUnavailable {
		t.Errorf("%v", err)
	}
	if _, err := ownDir(parent+"/none", "data"); sdk.Advice(err) == "" {
		t.Errorf("%v", err)
	}
}
