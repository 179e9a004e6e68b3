package client

import (
	"context"
	"errors"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

type call struct {
	name string
	ask  func(context.Context, *Driver) error
}

// calls is every call that a driver's own code answers.
func calls() []call {
	c := container()
	c.Step = &sdk.Step{Job: "1", Step: "0", Dir: "/s"}
	return []call{
		{"Check", func(ctx context.Context, d *Driver) error { _, err := d.Check(ctx); return err }},
		{"Run", func(ctx context.Context, d *Driver) error { _, err := d.Run(ctx, c); return err }},
		{"Create", func(ctx context.Context, d *Driver) error { _, err := d.Create(ctx, c); return err }},
		{"Start", func(ctx context.Context, d *Driver) error { return d.Start(ctx, c) }},
		{"State", func(ctx context.Context, d *Driver) error { _, err := d.State(ctx, c); return err }},
		{"Kill", func(ctx context.Context, d *Driver) error { return d.Kill(ctx, c, syscall.SIGTERM, true) }},
		{"Delete", func(ctx context.Context, d *Driver) error { return d.Delete(ctx, c, true) }},
		{"Exec", func(ctx context.Context, d *Driver) error { _, err := d.Exec(ctx, c, &sdk.Process{}); return err }},
		{"Pause", func(ctx context.Context, d *Driver) error { return d.Pause(ctx, c) }},
		{"Resume", func(ctx context.Context, d *Driver) error { return d.Resume(ctx, c) }},
		{"Update", func(ctx context.Context, d *Driver) error { return d.Update(ctx, c, nil) }},
		{"Prepare", func(ctx context.Context, d *Driver) error { return d.Prepare(ctx, c, func(sdk.Progress) {}) }},
		{"Release", func(ctx context.Context, d *Driver) error { return d.Release(ctx, c.Step) }},
	}
}

// soon is for calls of drivers that hang, each of which is waited for as long.
func soon(t *testing.T) context.Context {
	ctx, cancel := limit.WithTimeout(idle(t.Context()), 100*time.Millisecond, "not done")
	t.Cleanup(cancel)
	return ctx
}

func TestDeathInCall(t *testing.T) {
	deaths := []struct{ how, says string }{
		{"exit", "exit status 3"},
		{"panic", "exit status 2): panic: no more, no less"},
		{"segv", "exit status 2): panic: runtime error"},
		{"kill", "killed by SIGKILL"},
	}
	for _, c := range calls() {
		for _, death := range deaths {
			t.Run(c.name+"/"+death.how, func(t *testing.T) {
				d := start(t, config(t, "call:"+death.how))
				oneLine(t, c.ask(await.Context(t), d), "ended instead of answering "+c.name+" ("+death.says)
			})
		}
	}
}

func TestDeathBeforeCall(t *testing.T) {
	for _, c := range calls() {
		t.Run(c.name, func(t *testing.T) {
			d := start(t, config(t, ""))
			if err := syscall.Kill(d.Pid(), syscall.SIGKILL); err != nil {
				t.Fatal(err)
			}
			<-d.proc.ended
			oneLine(t, c.ask(await.Context(t), d), "ended instead of answering "+c.name+" (killed by SIGKILL)")
		})
	}
}

// An answer counts even where its driver dies right after it.
func TestDeathAfterCall(t *testing.T) {
	for _, how := range []string{"exit", "panic", "segv", "kill"} {
		d := start(t, config(t, "after:"+how))
		if err := d.Start(await.Context(t), container()); err != nil && d.proc.howEnded() == "" {
			t.Errorf("%s: %v", how, err)
		}
		<-d.proc.ended
	}
}

func TestHangInCall(t *testing.T) {
	for _, how := range []string{"deaf", "stop"} {
		for _, c := range calls() {
			t.Run(how+"/"+c.name, func(t *testing.T) {
				d := start(t, config(t, "call:"+how))
				err := c.ask(soon(t), d)
				oneLine(t, err, "no answer to "+c.name+" in time: not within 100ms")
				if !errors.Is(err, context.DeadlineExceeded) {
					t.Error("not a DeadlineExceeded")
				}
			})
		}
	}
}

func TestInterruptedCall(t *testing.T) {
	why := errors.New("interrupted by SIGTERM")
	ctx, cancel := context.WithCancelCause(t.Context())
	g := newGate(t)
	cfg := config(t, "call:gate")
	cfg.Env = append(cfg.Env, g.env())
	d := start(t, cfg)
	go func() {
		g.reached()
		cancel(why)
	}()
	_, err := d.Run(ctx, container())
	oneLine(t, err, "interrupted by SIGTERM")
	if !errors.Is(err, why) {
		t.Errorf("the cause is lost: %v", err)
	}
}

func TestStoppedAtClose(t *testing.T) {
	d := start(t, config(t, ""))
	if err := syscall.Kill(d.Pid(), syscall.SIGSTOP); err != nil {
		t.Fatal(err)
	}
	closed(t, d)
	d.Close()
}

func TestRawAnswers(t *testing.T) {
	tests := []struct{ mode, says string }{
		{"huge", "no proper answer to Run: \"ResourceExhausted: "},
		{"relative", `the driver's answer is no command: path "sh" is not absolute`},
		{"status", "no proper answer to Run: \"NotFound: a bare status"},
		{"canceled", "no proper answer to Run: \"Canceled: says who"},
		{"no-socket", "no proper answer to Run: \"Unavailable: "},
		{"not-grpc", "no proper answer to Run: \"Unavailable: "},
	}
	for _, tt := range tests {
		t.Run(tt.mode, func(t *testing.T) {
			_, err := start(t, config(t, "raw:"+tt.mode)).Run(await.Context(t), container())
			oneLine(t, err, tt.says)
		})
	}
	t.Run("never-accept", func(t *testing.T) {
		_, err := start(t, config(t, "raw:never-accept")).Run(soon(t), container())
		oneLine(t, err, "no answer to Run in time")
	})
	d := start(t, config(t, "raw:honest"))
	t.Run("go-plugin's services are not needed", func(t *testing.T) {
		if _, err := d.Run(await.Context(t), container()); err != nil {
			t.Error(err)
		}
	})
	t.Run("what is not served is unsupported", func(t *testing.T) {
		if err := d.Pause(await.Context(t), container()); !errors.Is(err, sdk.ErrUnsupported) {
			t.Error(err)
		}
	})
	t.Run("a pid that cannot be", func(t *testing.T) {
		_, err := d.State(await.Context(t), container())
		oneLine(t, err, `status "running" with pid 1`)
	})
}

func TestErrorText(t *testing.T) {
	_, err := start(t, config(t, "error:a\x1b[31m\nb")).Run(await.Context(t), container())
	oneLine(t, err, `a\x1b[31m\nb`)
	if !errors.Is(err, sdk.ErrState) {
		t.Error(fmt.Errorf("the kind is lost: %w", err))
	}
}

// A driver that prepares steps has nothing to run before: its author need not think of it.
func TestUnprepared(t *testing.T) {
	for name, step := range map[string]*sdk.Step{"no step": nil, "no directory": {Job: "1", Step: "0", Tasks: 1, Node: "n"}} {
		t.Run(name, func(t *testing.T) {
			c := container()
			c.Step = step
			d := start(t, config(t, ""))
			_, runErr := d.Run(await.Context(t), c)
			_, createErr := d.Create(await.Context(t), c)
			for _, err := range []error{runErr, createErr} {
				if !errors.Is(err, sdk.ErrUnprepared) || errors.Is(err, sdk.ErrState) {
					t.Errorf("%v", err)
				}
			}
			if err := d.Prepare(await.Context(t), c, func(sdk.Progress) {}); !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("preparing without a directory: %v", err)
			}
		})
	}
}
