package main

import (
	"context"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A copy has the files, links, permissions and times of the original, and none of its special files and
// set-user-ID bits. Links that lead out of it are copied as they are.
func TestCopy(t *testing.T) {
	from, to := t.TempDir(), t.TempDir()
	in := func(name string) string { return filepath.Join(from, name) }
	then := time.Unix(1e9, 0)
	must(t, os.Mkdir(in("d"), 0o755))
	must(t, os.WriteFile(in("d/program"), []byte("text"), 0o644))
	must(t, os.Chmod(in("d/program"), 0o755|os.ModeSetuid))
	must(t, os.Chtimes(in("d/program"), then, then))
	must(t, os.Link(in("d/program"), in("again")))
	must(t, os.Symlink("/etc/passwd", in("out")))
	must(t, os.Symlink("../../../../etc", in("d/up")))
	must(t, syscall.Mkfifo(in("pipe"), 0o600))
	must(t, os.Mkdir(in("closed"), 0o755))
	must(t, os.WriteFile(in("closed/f"), nil, 0o400))
	must(t, os.Chmod(in("closed"), 0o555))
	t.Cleanup(func() { must(t, os.Chmod(in("closed"), 0o755)) })
	root, err := os.OpenRoot(to)
	must(t, err)
	defer root.Close()
	must(t, copyTree(t.Context(), from, root, "copy"))
	got := filesBelow(t, filepath.Join(to, "copy"))
	want := []string{
		"drwxr-xr-x .", "-rwxr-xr-x ./again", "drwxr-xr-x ./closed", "-r-------- ./closed/f", "drwxr-xr-x ./d",
		"-rwxr-xr-x ./d/program", "Lrwxrwxrwx ./d/up", "Lrwxrwxrwx ./out",
	}
	if got[0] = strings.Replace(got[0], "drwx------", "drwxr-xr-x", 1); !slices.Equal(got, want) {
		t.Errorf("got %q", got)
	}
	one, err := os.Stat(filepath.Join(to, "copy/again"))
	must(t, err)
	two, err := os.Stat(filepath.Join(to, "copy/d/program"))
	must(t, err)
	if !os.SameFile(one, two) || !one.ModTime().Equal(then) {
		t.Errorf("%v and %v are two files, or their time is another", one, two)
	}
	must(t, os.Chmod(filepath.Join(to, "copy/d"), 0)) // as a container may leave it
	must(t, removeTree(root, "copy"))
	if left := filesBelow(t, to); len(left) != 1 {
		t.Errorf("left: %q", left)
	}
}

func TestCopyEndsWithItsTime(t *testing.T) {
	root, err := os.OpenRoot(t.TempDir())
	must(t, err)
	defer root.Close()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	from := t.TempDir()
	must(t, os.WriteFile(filepath.Join(from, "f"), nil, 0o600))
	if err := copyTree(ctx, from, root, "copy"); err != context.Canceled {
		t.Error(err)
	}
}

// What the image has on PATH is named by its path; what it has not is left to the compute node.
func TestFound(t *testing.T) {
	l := newLab(t)
	must(t, os.WriteFile(l.path("image/bin/data"), nil, 0o644))
	for name, want := range map[string]string{"sh": "/bin/sh", "tool": "/usr/bin/tool", "data": "data", "no": "no", "./tool": "./tool", "/x": "/x", "": ""} {
		if got := found(l.path("image"), name, "relative:/nowhere:/usr/bin:/bin:/../bin"); got != want {
			t.Errorf("%q: %q", name, got)
		}
	}
}

// What the user cannot read is left out: he could not use it in the original either.
func TestCopyLeavesOutWhatIsClosed(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root can read everything")
	}
	from := t.TempDir()
	must(t, os.Mkdir(filepath.Join(from, "closed"), 0o700))
	must(t, os.WriteFile(filepath.Join(from, "closed/f"), nil, 0o600))
	must(t, os.WriteFile(filepath.Join(from, "secret"), nil, 0))
	must(t, os.WriteFile(filepath.Join(from, "there"), nil, 0o600))
	must(t, os.Chmod(filepath.Join(from, "closed"), 0))
	t.Cleanup(func() { must(t, os.Chmod(filepath.Join(from, "closed"), 0o700)) })
	to := t.TempDir()
	root, err := os.OpenRoot(to)
	must(t, err)
	defer root.Close()
	must(t, copyTree(t.Context(), from, root, "copy"))
	if got := filesBelow(t, filepath.Join(to, "copy")); len(got) != 3 || got[1] != "drwx------ ./closed" || got[2] != "-rw------- ./there" {
		t.Errorf("got %q", got)
	}
}
