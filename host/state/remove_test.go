package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

func TestRemoveStaysInTheDirectory(t *testing.T) {
	r := open(t, place(t))
	d := create(t, r, "x")
	outside := t.TempDir()
	must(t, os.WriteFile(outside+"/kept", nil, 0o600))
	must(t, os.Symlink(outside, d.Path()+"/link"))
	must(t, os.Symlink(outside+"/kept", d.Path()+"/config.json"))
	must(t, os.Link(outside+"/kept", d.Path()+"/hard"))
	must(t, os.MkdirAll(d.Path()+"/rt/a/b", 0o700))
	must(t, os.Symlink("../../../../..", d.Path()+"/rt/a/b/up"))
	must(t, unix.Mkfifo(d.Path()+"/rt/fifo", 0o600))
	must(t, os.WriteFile(d.Path()+"/rt/a/f", nil, 0))
	must(t, os.Mkdir(d.Path()+"/rt/closed", 0o700))
	must(t, os.WriteFile(d.Path()+"/rt/closed/f", nil, 0))
	must(t, os.Chmod(d.Path()+"/rt/closed", 0))
	must(t, os.Chmod(d.Path()+"/rt/a", 0o500))
	must(t, d.Remove())
	if got := list(t, outside); len(got) != 1 {
		t.Errorf("outside holds %q", got)
	}
	if got := list(t, r.Path()); len(got) != 0 {
		t.Errorf("left %q", got)
	}
}

func TestRemoveIsBounded(t *testing.T) {
	r := open(t, place(t))
	d := create(t, r, "x")
	deep := d.Path() + strings.Repeat("/d", maxDepth+10)
	must(t, os.MkdirAll(deep, 0o700))
	err := d.Remove()
	if !errors.Is(err, sdk.ErrUnavailable) || len(err.Error()) > 4096 {
		t.Errorf("error %v, want ErrUnavailable", err)
	}
	if _, err := r.Find("x"); err != nil {
		t.Errorf("what cannot be removed is gone: %v", err)
	}
	if _, err := d.Record(); err != nil {
		t.Errorf("what cannot be removed lost its record: %v", err)
	}
	must(t, os.RemoveAll(d.Path()+strings.Repeat("/d", 20)))
	must(t, d.Remove())
}

func TestRemoveEntersNoMount(t *testing.T) {
	inMountNamespace(t, "mounted", place(t))
}

func removeAroundMounts() {
	r, d := inside()
	outside := os.Getenv("BERTH_TEST_SYSTEM") + ".outside"
	check(os.Mkdir(outside, 0o700))
	check(os.WriteFile(outside+"/kept", nil, 0o600))
	mounts := map[string]func(path string) error{
		"bind":  func(p string) error { return unix.Mount(outside, p, "", unix.MS_BIND, "") },
		"tmpfs": func(p string) error { return unix.Mount("none", p, "tmpfs", 0, "") },
	}
	for name, mount := range mounts {
		path := filepath.Join(d.Path(), "rt", name)
		check(os.MkdirAll(path, 0o700))
		check(mount(path))
		check(os.WriteFile(path+"/kept", nil, 0o600))
		err := d.Remove()
		if !errors.Is(err, sdk.ErrUnavailable) || !strings.Contains(err.Error(), "something is mounted on it") {
			check(fmt.Errorf("%s: %v, want ErrUnavailable", name, err))
		}
		if _, err := os.Stat(path + "/kept"); err != nil {
			check(fmt.Errorf("%s: %v", name, err))
		}
		if _, err := d.Record(); err != nil {
			check(fmt.Errorf("%s: %v", name, err))
		}
		check(unix.Unmount(path, 0))
	}
	check(d.Remove())
	if _, err := r.Find("x"); !errors.Is(err, sdk.ErrNotFound) {
		check(fmt.Errorf("after all: %v, want ErrNotFound", err))
	}
}

func TestFullDisk(t *testing.T) {
	p := place(t)
	inMountNamespace(t, "full", p)
}

// fullDisk runs with 64 KiB for all containers.
func fullDisk() {
	r, d := inside()
	fill := filepath.Join(d.Path(), "fill")
	f, err := os.Create(fill)
	check(err)
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	f.Close()
	rec, err := NewRecord(os.Getpid())
	check(err)
	rec.ID = "y"
	_, err = r.Create(rec)
	if !errors.Is(err, sdk.ErrUnavailable) || !errors.Is(err, unix.ENOSPC) || !strings.Contains(err.Error(), r.Path()) {
		check(fmt.Errorf("create: %v, want ErrUnavailable, ENOSPC and %q", err, r.Path()))
	}
	err = d.WriteFile("config.json", make([]byte, 8192))
	if !errors.Is(err, unix.ENOSPC) {
		check(fmt.Errorf("write: %v, want ENOSPC", err))
	}
	if got, _ := filepath.Glob(d.Path() + "/*config*"); len(got) != 0 {
		check(fmt.Errorf("half-written: %q", got))
	}
	check(d.Remove())
	if left, err := os.ReadDir(r.Path()); len(left) != 0 || err != nil {
		check(fmt.Errorf("left %v, %v", left, err))
	}

	d.Close() // a file system with removed files still open is not made read-only
	check(unix.Mount("none", os.Getenv("BERTH_TEST_SYSTEM"), "", unix.MS_REMOUNT|unix.MS_RDONLY, ""))
	_, err = r.Create(rec)
	if !errors.Is(err, sdk.ErrUnavailable) || !errors.Is(err, unix.EROFS) || !strings.Contains(err.Error(), r.Path()) {
		check(fmt.Errorf("read-only: %v, want ErrUnavailable, EROFS and %q", err, r.Path()))
	}
}

// inMountNamespace runs a job in a private mount namespace.
func inMountNamespace(t *testing.T, job string, p Place) {
	needRoot(t, "mounts in a private namespace")
	cmd := child(t, job, "BERTH_TEST_SYSTEM="+p.System)
	cmd.SysProcAttr.Unshareflags = syscall.CLONE_NEWNS
	run(t, cmd)
}

// inside gives such a job a tmpfs of 64 KiB as System, and a container.
func inside() (*Root, *Dir) {
	system := os.Getenv("BERTH_TEST_SYSTEM")
	check(unix.Mount("none", system, "tmpfs", 0, "size=64k,mode=1777"))
	r, err := Open(Place{System: system, UID: os.Geteuid()})
	check(err)
	rec, err := NewRecord(os.Getpid())
	check(err)
	rec.ID = "x"
	d, err := r.Create(rec)
	check(err)
	return r, d
}
