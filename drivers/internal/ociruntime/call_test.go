package ociruntime

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// misbehaving returns a driver whose runtime is the stub called name, and a container that it may
// be asked about.
func misbehaving(t *testing.T, name string) (*Driver, *sdk.Container) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Symlink(program(t, "stub"), filepath.Join(dir, name)); err != nil {
		t.Fatal(err)
	}
	if err := os.Mkdir(filepath.Join(dir, "c"), 0o700); err != nil {
		t.Fatal(err)
	}
	d := New(Runc())
	d.Settings().(*Settings).Runtime = filepath.Join(dir, name)
	return d, &sdk.Container{ID: "c", Root: dir}
}

func TestMisbehavingRuntime(t *testing.T) {
	for _, test := range []struct{ name, state, start, version string }{
		{"flood", "longer than 1048576 bytes", "", "longer than 1048576 bytes"},
		{"garbage", "invalid character", "", "it calls itself"},
		{"fail", `[31mall is lost`, `[31mall is lost`, `[31mall is lost`},
		{"warn", "", "", "it calls itself"},
		{"daemon", "unexpected end", "", "it calls itself"},
		{"environ", "PATH=" + path, "PATH=" + path, "PATH=" + path},
	} {
		t.Run(test.name, func(t *testing.T) {
			t.Setenv("LD_PRELOAD_", "reached")
			d, c := misbehaving(t, test.name)
			_, stateErr := d.State(t.Context(), c)
			_, checkErr := d.Check(t.Context())
			startErr := d.Start(t.Context(), c)
			for what, got := range map[string]struct {
				err  error
				want string
			}{"state": {stateErr, test.state}, "start": {startErr, test.start}, "version": {checkErr, test.version}} {
				if (got.err == nil) != (got.want == "") || got.err != nil && !strings.Contains(got.err.Error(), got.want) {
					t.Errorf("%s: got %v, want %q", what, got.err, got.want)
				}
				if got.err != nil && strings.ContainsAny(got.err.Error(), "\x1b\x00\n") {
					t.Errorf("%s: control characters in %q", what, got.err)
				}
				if got.err != nil && strings.Contains(got.err.Error(), "reached") {
					t.Errorf("%s: the environment is inherited: %v", what, got.err)
				}
			}
		})
	}
}

func TestHangingRuntimeEndsWithTheCall(t *testing.T) {
	d, c := misbehaving(t, "hang")
	for name, call := range map[string]func(context.Context) error{
		"state":  func(ctx context.Context) error { _, err := d.State(ctx, c); return err },
		"start":  func(ctx context.Context) error { return d.Start(ctx, c) },
		"kill":   func(ctx context.Context) error { return d.Kill(ctx, c, 15, false) },
		"delete": func(ctx context.Context) error { return d.Delete(ctx, c, true) },
		"check":  func(ctx context.Context) error { _, err := d.Check(ctx); return err },
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 50*time.Millisecond) // waited for in full: the runtime hangs
		err := call(ctx)
		cancel()
		if !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// A runtime that is late because the node is busy is waited for: the limit of its version, 2 s, is asked about the load
// and goes on.
func TestVersionOnABusyNode(t *testing.T) {
	d, _ := misbehaving(t, "late")
	gate := d.settings.Runtime + ".gate"
	if err := syscall.Mkfifo(gate, 0o600); err != nil {
		t.Fatal(err)
	}
	over := make(chan struct{})
	defer close(over)
	asked := false
	ctx := limit.WithLoad(t.Context(), func() float64 {
		if !asked {
			asked = true
			_ = os.WriteFile(gate, nil, 0)
		}
		<-over // so that no clock decides how long the answer takes
		return 1
	})
	if version, err := d.version(ctx); version != "9.9.9" || err != nil {
		t.Errorf("version %q, %v", version, err)
	}
}

func TestSignalNumbers(t *testing.T) {
	d, c := misbehaving(t, "warn")
	for _, sig := range []int{-1, 0, 65, 1000} {
		for _, all := range []bool{false, true} {
			if err := d.Kill(t.Context(), c, syscall.Signal(sig), all); sdk.Kind(err) != sdk.ErrInvalid {
				t.Errorf("signal %d: %v", sig, err)
			}
		}
	}
}
