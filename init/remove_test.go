package init_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"
)

// asBoth runs a test as the caller and, where that is root, as an ordinary user too.
func asBoth(t *testing.T, test func(t *testing.T, uid int)) {
	t.Run(fmt.Sprint("uid ", os.Geteuid()), func(t *testing.T) { test(t, 0) })
	if os.Geteuid() == 0 {
		t.Run("ordinary user", func(t *testing.T) { test(t, nobody) })
	}
}

// give hands everything below dir to uid.
func give(t *testing.T, dir string, uid int) {
	t.Helper()
	if uid == 0 {
		return
	}
	err := filepath.Walk(dir, func(path string, _ os.FileInfo, err error) error {
		if err != nil {
			return err
		}
		return os.Lchown(path, uid, uid)
	})
	if err != nil {
		t.Fatal(err)
	}
}

func gone(path string) bool {
	_, err := os.Lstat(path)
	return os.IsNotExist(err)
}

func TestRemove(t *testing.T) {
	p := need(t)
	asBoth(t, func(t *testing.T, uid int) {
		base := openDir(t)
		dir := filepath.Join(base, "container")
		outside := write(t, 0o644, "keep", base, "outside", "file")
		write(t, 0o600, "{}", dir, "record")
		write(t, 0, "", dir, "rt", "id", "no access")
		write(t, 0o644, "", dir, "rt", "name\nwith a newline")
		write(t, 0o644, "", dir, "closed", "file")
		write(t, 0o644, "", dir, "read-only", "file")
		write(t, 0o644, "", dir, "unlistable", "file")
		for i := range 300 {
			write(t, 0o644, "", dir, "many", strings.Repeat("n", 100)+fmt.Sprint(i))
		}
		for _, link := range [][2]string{{filepath.Dir(outside), "to-dir"}, {outside, "to-file"}, {"nowhere", "to-nothing"}, {"..", "up"}} {
			if err := os.Symlink(link[0], filepath.Join(dir, link[1])); err != nil {
				t.Fatal(err)
			}
		}
		if err := syscall.Mkfifo(filepath.Join(dir, "fifo"), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := os.Link(outside, filepath.Join(dir, "hard link")); err != nil {
			t.Fatal(err)
		}
		socket, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
		if err != nil {
			t.Fatal(err)
		}
		defer syscall.Close(socket)
		if err := syscall.Bind(socket, &syscall.SockaddrUnix{Name: filepath.Join(dir, "s")}); err != nil {
			t.Fatal(err)
		}
		give(t, base, uid)
		for name, mode := range map[string]os.FileMode{"closed": 0, "read-only": 0o500, "unlistable": 0o300} {
			if err := os.Chmod(filepath.Join(dir, name), mode); err != nil {
				t.Fatal(err)
			}
		}

		got := call{args: []string{"--rm", dir}, uid: uid, exe: p.init, dir: "/"}.run(t)
		if got != (result{}) || !gone(dir) {
			t.Errorf("got %+v", got)
		}
		if text, _ := os.ReadFile(outside); string(text) != "keep" {
			t.Error("what a link led to is gone")
		}
		again := call{args: []string{"--rm", dir}, uid: uid, exe: p.init, dir: "/"}.run(t)
		if again != (result{}) {
			t.Errorf("a second time: got %+v", again)
		}
		below := call{args: []string{"--rm", dir + "/none"}, uid: uid, exe: p.init, dir: "/"}.run(t)
		if below != (result{}) {
			t.Errorf("below a missing directory: got %+v", below)
		}
	})
}

func TestRemoveRefuses(t *testing.T) {
	p := need(t)
	asBoth(t, func(t *testing.T, uid int) {
		base := openDir(t)
		kept := write(t, 0o644, "", base, "dir", "file")
		if err := os.Symlink("dir", base+"/link"); err != nil {
			t.Fatal(err)
		}
		give(t, base, uid)
		for _, tt := range []struct {
			path   string
			status int
		}{
			{"dir", 125}, {"./dir", 125}, {"", 125}, {"/", 125}, {"//", 125}, {base + "/dir/", 125},
			{base + "/dir/.", 125}, {base + "/dir/..", 125}, {base + "/link", 1}, {kept, 1}, {kept + "/x", 1},
		} {
			got := call{args: []string{"--rm", tt.path}, uid: uid, exe: p.init, dir: base}.run(t)
			if got.status != tt.status || got.stdout != "" || strings.Count(got.stderr, "\n") != 1 || gone(kept) || gone(base+"/link") {
				t.Errorf("--rm %q: got %+v, want status %d", tt.path, got, tt.status)
			}
		}
	})
}

func TestRemoveWhatCanBeRemoved(t *testing.T) {
	p := need(t)
	if os.Geteuid() != 0 {
		t.Skip("needs root, to make a file that the caller may not remove")
	}
	base := openDir(t)
	dir := filepath.Join(base, "dir")
	for _, name := range []string{"a", "b", "c"} {
		write(t, 0o644, "", dir, name, "file")
	}
	give(t, base, nobody)
	if err := os.Chown(dir+"/b", 0, 0); err != nil {
		t.Fatal(err)
	}
	got := call{args: []string{"--rm", dir}, uid: nobody, exe: p.init}.run(t)
	want := result{status: 1, stderr: fmt.Sprintf("berth-init: cannot remove %q: Permission denied\n", dir)}
	if got != want || !gone(dir+"/a") || gone(dir+"/b/file") || !gone(dir+"/c") {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestRemoveStaysOnItsFileSystem(t *testing.T) {
	p := need(t)
	base := openDir(t)
	dir := filepath.Join(base, "dir")
	write(t, 0o644, "", dir, "mounted", "below")
	write(t, 0o644, "", dir, "beside")
	script := `mount -t tmpfs none "$1/mounted" && echo >"$1/mounted/kept" || exit 99
		"$0" --rm "$1"; s=$?; test -e "$1/mounted/kept" || exit 98; exit $s`
	cmd := call{args: []string{"-c", script, p.init, dir}, exe: "/bin/sh"}.command(t)
	places["process 1"](cmd.SysProcAttr)
	needNamespaces(t, *cmd.SysProcAttr)
	cmd.SysProcAttr.Cloneflags |= syscall.CLONE_NEWNS
	out, err := cmd.CombinedOutput()
	if status(cmd.ProcessState) == 99 {
		t.Skipf("no tmpfs in a user namespace: %s", out)
	}
	want := fmt.Sprintf("berth-init: cannot remove %q: something is mounted in it\n", dir)
	if status(cmd.ProcessState) != 1 || string(out) != want || !gone(dir+"/beside") {
		t.Errorf("%v: %s", err, out)
	}
}

func TestRemoveBoundsDepth(t *testing.T) {
	need(t)
	base := openDir(t)
	for depth, want := range map[int]int{64: 0, 65: 1} {
		dir := filepath.Join(base, fmt.Sprint(depth))
		if err := os.MkdirAll(dir+strings.Repeat("/d", depth), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := run(t, "--rm", dir); got.status != want || gone(dir) != (want == 0) {
			t.Errorf("%d levels: got %+v, want status %d", depth, got, want)
		}
	}
}

func TestRemoveByManyAtOnce(t *testing.T) {
	p := need(t)
	dir := filepath.Join(openDir(t), "dir")
	for i := range 100 {
		write(t, 0o644, "", dir, fmt.Sprint(i), "file")
	}
	var wait sync.WaitGroup
	for range 8 {
		wait.Go(func() {
			if got := (call{args: []string{"--rm", dir}, exe: p.init}).run(t); got != (result{}) {
				t.Errorf("got %+v", got)
			}
		})
	}
	if wait.Wait(); !gone(dir) {
		t.Error("the directory is still there")
	}
}
