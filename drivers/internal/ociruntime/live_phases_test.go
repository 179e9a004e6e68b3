package ociruntime

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// phase is a state that a container can be in, and what each operation then is to say. Operations
// that are to succeed are made last, each on a container of its own.
type phase struct {
	name   string
	status specs.ContainerState // "" where State fails
	make   func(t *testing.T, l lab, c *sdk.Container)
	want   map[string]error // by operation; nil: it succeeds
}

func phases() []phase {
	wants := func(create, state, start, kill, del, force, exec, pause, resume error) map[string]error {
		return map[string]error{
			"create": create, "state": state, "start": start, "kill": kill, "kill all": kill,
			"delete": del, "delete force": force, "exec": exec, "pause": pause, "resume": resume,
		}
	}
	taken, none, wrong := sdk.ErrExists, sdk.ErrNotFound, sdk.ErrState
	stopped := wants(taken, nil, wrong, wrong, nil, nil, wrong, wrong, wrong)
	return []phase{
		{"unknown", "", func(*testing.T, lab, *sdk.Container) {}, wants(nil, none, none, none, none, nil, none, none, none)},
		{"half-made", "", halfMade, wants(taken, none, none, none, none, nil, none, none, none)},
		{"created", specs.StateCreated, created, wants(taken, nil, nil, nil, nil, nil, nil, wrong, wrong)},
		{"running", specs.StateRunning, started, wants(taken, nil, wrong, nil, wrong, nil, nil, nil, wrong)},
		{"paused", sdk.StatusPaused, paused, wants(taken, nil, wrong, nil, wrong, nil, wrong, wrong, nil)},
		{"stopped", specs.StateStopped, reaped, stopped},
		{"unreaped", specs.StateStopped, unreaped, stopped},
		{"deleted", "", deleted, wants(nil, none, none, none, none, nil, none, none, none)},
		{"damaged", "", damaged, wants(taken, errDamaged, errDamaged, errDamaged, errDamaged, nil, errDamaged, errDamaged, errDamaged)},
	}
}

func halfMade(t *testing.T, _ lab, c *sdk.Container) {
	if err := os.Mkdir(filepath.Join(c.Root, c.ID), 0o700); err != nil {
		t.Fatal(err)
	}
}

func created(t *testing.T, l lab, c *sdk.Container) {
	if status, out := l.become(t, "create", c); status != 0 {
		t.Fatalf("create: status %d: %s", status, out)
	}
}

func started(t *testing.T, l lab, c *sdk.Container) { l.running(t, c, 1) }

func paused(t *testing.T, l lab, c *sdk.Container) {
	l.running(t, c, 1)
	if err := l.Pause(t.Context(), c); err != nil {
		t.Fatal(err)
	}
}

func unreaped(t *testing.T, l lab, c *sdk.Container) { killed(t, l, c) }

func reaped(t *testing.T, l lab, c *sdk.Container) { reap(t, killed(t, l, c)) }

func killed(t *testing.T, l lab, c *sdk.Container) int {
	pid, _ := l.running(t, c, 1)
	if err := l.Kill(t.Context(), c, syscall.SIGKILL, false); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the container is dead", func() bool { return Dead(pid) })
	return pid
}

func deleted(t *testing.T, l lab, c *sdk.Container) {
	killed(t, l, c)
	if err := l.Delete(t.Context(), c, false); err != nil {
		t.Fatal(err)
	}
}

// damaged truncates every file in which the runtime keeps its state. The container's process is
// known to the host alone then, so it is ended here.
func damaged(t *testing.T, l lab, c *sdk.Container) {
	pid, _ := l.running(t, c, 1)
	t.Cleanup(func() {
		_ = syscall.Kill(pid, syscall.SIGKILL)
		reap(t, pid)
	})
	for _, name := range []string{"state.json", "status"} {
		file := filepath.Join(c.Root, c.ID, name)
		if _, err := os.Stat(file); err == nil {
			if err := os.Truncate(file, 20); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// operation is one call about one container.
type operation struct {
	name string
	call func(context.Context) error
}

// operations are all of them, delete last: runc removes what a create that died has left even
// where it answers that there is no such container.
func operations(l lab, c *sdk.Container) []operation {
	further := &sdk.Process{Spec: json.RawMessage(`{"args":["/payload","exit","0"],"cwd":"/"}`)}
	return []operation{
		{"create", func(ctx context.Context) error { _, err := l.Create(ctx, c); return err }},
		{"state", func(ctx context.Context) error { _, err := l.State(ctx, c); return err }},
		{"start", func(ctx context.Context) error { return l.Start(ctx, c) }},
		{"exec", func(ctx context.Context) error { _, err := l.Exec(ctx, c, further); return err }},
		{"pause", func(ctx context.Context) error { return l.Pause(ctx, c) }},
		{"resume", func(ctx context.Context) error { return l.Resume(ctx, c) }},
		{"kill", func(ctx context.Context) error { return l.Kill(ctx, c, syscall.SIGKILL, false) }},
		{"kill all", func(ctx context.Context) error { return l.Kill(ctx, c, syscall.SIGKILL, true) }},
		{"delete", func(ctx context.Context) error { return l.Delete(ctx, c, false) }},
		{"delete force", func(ctx context.Context) error { return l.Delete(ctx, c, true) }},
	}
}

func TestLivePhases(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		for _, p := range phases() {
			if p.status == sdk.StatusPaused && os.Geteuid() != 0 {
				continue // out of reach, as the phase "running" shows
			}
			t.Run(p.name, func(t *testing.T) { testPhase(t, l, p) })
		}
	})
}

func testPhase(t *testing.T, l lab, p phase) {
	if os.Geteuid() != 0 && p.status == specs.StateRunning {
		p.want["pause"] = sdk.ErrUnavailable // an ordinary user has no cgroup to freeze
	}
	c := l.container(t, nil, "wait")
	p.make(t, l, c)
	for _, o := range operations(l, c) {
		if p.want[o.name] != nil {
			judge(t, o.name, o.call(t.Context()), p.want[o.name])
		}
	}
	state, err := l.State(t.Context(), c)
	if p.status != "" && (err != nil || state.Status != p.status || (state.Pid == 0) != (p.status == specs.StateStopped)) {
		t.Errorf("after what was refused: %+v, %v", state, err)
	}
	for i, o := range operations(l, c) {
		if p.want[o.name] != nil {
			continue
		}
		c := l.container(t, nil, "wait")
		p.make(t, l, c)
		judge(t, o.name, operations(l, c)[i].call(t.Context()), nil)
		if o.name == "delete" || o.name == "delete force" {
			if names := left(t, c); names != "" {
				t.Errorf("%s left %s", o.name, names)
			}
		}
	}
}

func judge(t *testing.T, name string, got, want error) {
	t.Helper()
	if want == nil && got != nil || want != nil && !errors.Is(got, want) {
		t.Errorf("%s: got %v, want %v", name, got, want)
	}
}
