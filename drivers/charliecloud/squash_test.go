package main

import (
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

// squashed turns a live lab's image into a SquashFS file.
func squashed(t *testing.T, l *lab) *lab {
	t.Helper()
	if err := fuse(); err != nil {
		t.Skipf("%v (%s)", err, sdk.Advice(err))
	}
	out, err := exec.Command("mksquashfs", l.path("image"), l.path("image.sqfs"), "-all-root", "-quiet", "-no-progress").CombinedOutput()
	if err != nil {
		t.Skipf("needs mksquashfs: %v: %s", err, out)
	}
	l.spec.Root.Path = l.path("image.sqfs")
	return l
}

func TestLiveSquash(t *testing.T) {
	squashed(t, liveLab(t, "sh", "-c", "ls -d /data; exit 42")).expect(t, 42, "/data\n")
}

func TestLiveSquashWritable(t *testing.T) {
	l := squashed(t, liveLab(t, "touch", "/data/new"))
	l.spec.Root.Readonly = false
	_, minor, err := l.version(t.Context())
	must(t, err)
	plan, err := l.plan(t)
	if minor < overlayVersion {
		if !errors.Is(err, sdk.ErrUnsupported) || !strings.Contains(err.Error(), "root.readonly") {
			t.Errorf("not refused: %v", err)
		}
		return
	}
	if got, out := finish(t, plan, err); got != 0 || out != "" {
		t.Errorf("status %d: %s", got, out)
	}
}

func TestLiveSquashExec(t *testing.T) {
	l := squashed(t, liveLab(t))
	l.spec.Process.Args = append(l.spec.Process.Args, "sleep", "600."+l.token())
	l.running(t)
	if got, out := l.exec(t, "sh", "-c", "ls -d /data; exit 9"); got != 9 || out != "/data\n" {
		t.Errorf("status %d: %q", got, out)
	}
}

// ch-run serves the image: when it ends, however it ends, so does the program, which would else go
// on without its files.
func TestLiveSquashEndsWithItsServer(t *testing.T) {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL, syscall.SIGUSR1} {
		l := squashed(t, liveLab(t))
		l.spec.Process.Args = append(l.spec.Process.Args, "sleep", "600."+l.token())
		cmd := l.running(t)
		must(t, cmd.Process.Signal(sig))
		eventually(t, "the program has ended", func() bool { return len(programs(l)) == 0 })
		_ = cmd.Wait()
		t.Logf("%v: status %d", sig, status(cmd))
	}
}

func TestBadImages(t *testing.T) {
	l := newLab(t)
	for name, text := range map[string]string{
		"nothing": "", "text": "no image at all", "short": "hsqs", "truncated": "hsqs" + strings.Repeat("\xff", 200),
	} {
		must(t, os.WriteFile(l.path(name), []byte(text), 0o644))
		_, err := openImage(l.path(name))
		if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), "root.path") {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := openImage("/dev/null"); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("a device: %v", err)
	}
}
