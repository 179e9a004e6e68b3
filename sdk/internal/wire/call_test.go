package wire

import (
	"context"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/berth-hpc/berth/sdk"
)

// recorder is a driver that keeps what it was asked, and answers with what is set.
type recorder struct {
	asked   []any
	settled settled
	answer  *sdk.Command
	state   *specs.State
	err     error
}

type settled struct {
	Key string `json:"key"`
}

func (r *recorder) Settings() any { return &r.settled }

func (r *recorder) keep(asked ...any) error {
	r.asked = asked
	return r.err
}

func (r *recorder) Run(_ context.Context, c *sdk.Container) (*sdk.Command, error) {
	return r.answer, r.keep("run", c)
}
func (r *recorder) Create(_ context.Context, c *sdk.Container) (*sdk.Command, error) {
	return r.answer, r.keep("create", c)
}
func (r *recorder) Exec(_ context.Context, c *sdk.Container, p *sdk.Process) (*sdk.Command, error) {
	return r.answer, r.keep("exec", c, p)
}
func (r *recorder) Start(_ context.Context, c *sdk.Container) error { return r.keep("start", c) }
func (r *recorder) State(_ context.Context, c *sdk.Container) (*specs.State, error) {
	return r.state, r.keep("state", c)
}
func (r *recorder) Kill(_ context.Context, c *sdk.Container, sig syscall.Signal, all bool) error {
	return r.keep("kill", c, sig, all)
}
func (r *recorder) Delete(_ context.Context, c *sdk.Container, force bool) error {
	return r.keep("delete", c, force)
}
func (r *recorder) Pause(_ context.Context, c *sdk.Container) error  { return r.keep("pause", c) }
func (r *recorder) Resume(_ context.Context, c *sdk.Container) error { return r.keep("resume", c) }
func (r *recorder) Update(_ context.Context, c *sdk.Container, resources json.RawMessage) error {
	return r.keep("update", c, string(resources))
}
func (r *recorder) Release(_ context.Context, s *sdk.Step) error { return r.keep("release", s) }
func (r *recorder) Check(context.Context) (*sdk.Runtime, error) {
	return &sdk.Runtime{Name: "found"}, r.keep("check")
}
func (r *recorder) Prepare(_ context.Context, c *sdk.Container, progress func(sdk.Progress)) error {
	progress(sdk.Progress{Text: "half", Done: 1, Total: 2})
	return r.keep("prepare", c)
}

// connect serves d and returns a client of it.
func connect(t *testing.T, d sdk.Driver, settings string) *Client {
	t.Helper()
	path := filepath.Join(t.TempDir(), "s")
	listener, err := net.Listen("unix", path)
	if err != nil {
		t.Fatal(err)
	}
	go func() { _ = Serve(listener, d) }()
	conn, err := grpc.NewClient("unix:"+path, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { conn.Close(); listener.Close() })
	return NewClient(conn, []byte(settings))
}

// Every argument of every call arrives, and so does every answer.
func TestCallsArrive(t *testing.T) {
	var c sdk.Container
	fill(t, &c)
	c.ID, c.Bundle, c.Root = "id", "/b", "/r"
	var p sdk.Process
	fill(t, &p)
	d := &recorder{answer: &sdk.Command{Path: "/p", Args: []string{"a"}}, state: &specs.State{ID: "id", Status: specs.StateRunning, Pid: 7}}
	client, ctx := connect(t, d, `{"key":"value"}`), t.Context()
	command := func(got *sdk.Command, err error) error {
		if err == nil && !cmp.Equal(got, d.answer) {
			t.Errorf("answered %+v", got)
		}
		return err
	}
	tests := []struct {
		want []any
		ask  func() error
	}{
		{[]any{"run", &c}, func() error { return command(client.Run(ctx, &c)) }},
		{[]any{"create", &c}, func() error { return command(client.Create(ctx, &c)) }},
		{[]any{"exec", &c, &p}, func() error { return command(client.Exec(ctx, &c, &p)) }},
		{[]any{"start", &c}, func() error { return client.Start(ctx, &c) }},
		{[]any{"state", &c}, func() error { _, err := client.State(ctx, &c); return err }},
		{[]any{"kill", &c, syscall.SIGUSR1, true}, func() error { return client.Kill(ctx, &c, syscall.SIGUSR1, true) }},
		{[]any{"kill", &c, syscall.Signal(0), false}, func() error { return client.Kill(ctx, &c, 0, false) }},
		{[]any{"delete", &c, true}, func() error { return client.Delete(ctx, &c, true) }},
		{[]any{"delete", &c, false}, func() error { return client.Delete(ctx, &c, false) }},
		{[]any{"pause", &c}, func() error { return client.Pause(ctx, &c) }},
		{[]any{"resume", &c}, func() error { return client.Resume(ctx, &c) }},
		{[]any{"update", &c, `{"pids":{"limit":5}}`}, func() error { return client.Update(ctx, &c, json.RawMessage(`{"pids":{"limit":5}}`)) }},
		{[]any{"release", c.Step}, func() error { return client.Release(ctx, c.Step) }},
		{[]any{"check"}, func() error { _, err := client.Check(ctx); return err }},
		{[]any{"prepare", &c}, func() error {
			return client.Prepare(ctx, &c, func(p sdk.Progress) {
				if p != (sdk.Progress{Text: "half", Done: 1, Total: 2}) {
					t.Errorf("progress %+v", p)
				}
			})
		}},
	}
	for _, tt := range tests {
		name := tt.want[0].(string)
		t.Run(name, func(t *testing.T) {
			*d = recorder{answer: d.answer, state: d.state}
			if err := tt.ask(); err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, d.asked); diff != "" {
				t.Errorf("-sent +got:\n%s", diff)
			}
			if d.settled.Key != "value" {
				t.Error("the settings did not arrive")
			}
			d.err = sdk.Mark(errors.New("no"), sdk.ErrState)
			if err := tt.ask(); !errors.Is(err, sdk.ErrState) || err.Error() != "no" {
				t.Errorf("its error arrives as %v", err)
			}
		})
	}
}

// simple has only the one required method.
type simple struct{ answer *sdk.Command }

func (s simple) Run(context.Context, *sdk.Container) (*sdk.Command, error) { return s.answer, nil }

// Images implements sdk.Imager, with a kind that is no capability.
func (*recorder) Images() []string { return []string{"check", sdk.ImageSquashFS} }

func TestServerRefuses(t *testing.T) {
	ctx, good := t.Context(), &sdk.Container{ID: "id"}
	client := connect(t, simple{}, "")
	if err := client.Pause(ctx, good); !errors.Is(err, sdk.ErrUnsupported) {
		t.Errorf("what the driver lacks: %v", err)
	}
	if _, err := client.Run(ctx, good); err == nil || sdk.Kind(err) != nil {
		t.Errorf("no command and no error: %v", err)
	}
	for _, bad := range []*sdk.Container{{}, {ID: "../x"}, {ID: "id", Bundle: "relative"}, {ID: "id", Root: "relative"}} {
		if _, err := client.Run(ctx, bad); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	var setting *sdk.SettingError
	if _, err := connect(t, simple{}, `{"a":1}`).Run(ctx, good); !errors.As(err, &setting) || setting.Key != "a" {
		t.Errorf("a setting that it does not have: %v", err)
	}
	about, err := client.Describe(ctx)
	if err != nil || len(about.Capabilities) != 0 {
		t.Errorf("%+v, %v", about, err)
	}
	about, err = connect(t, &recorder{}, "").Describe(ctx)
	want := []string{"check", "lifecycle", "create", "exec", "pause", "update", "prepare", "squashfs"}
	if err != nil || !cmp.Equal(about.Capabilities, want) || len(about.Settings) != 1 {
		t.Errorf("%+v, %v", about, err)
	}
}

// chooser is a driver that a setting makes another one.
type chooser struct {
	bare
	mode struct {
		Whole bool `json:"whole"`
	}
}

// bare is a driver that can only run.
type bare struct{}

func (bare) Run(context.Context, *sdk.Container) (*sdk.Command, error) { return nil, sdk.ErrState }

func (c *chooser) Settings() any {
	c.mode.Whole = false
	return &c.mode
}

func (c *chooser) Choose() sdk.Driver {
	if c.mode.Whole {
		return &recorder{state: &specs.State{ID: "c1", Status: specs.StateStopped}}
	}
	return c
}

// What a driver can do, and what answers, is the one that the settings choose.
func TestSettingsChooseTheDriver(t *testing.T) {
	ctx, container := t.Context(), &sdk.Container{ID: "c1", Bundle: "/b", Root: "/r"}
	for settings, want := range map[string]struct {
		can  []string
		kind error
	}{
		``:                {nil, sdk.ErrUnsupported},
		`{"whole":false}`: {nil, sdk.ErrUnsupported},
		`{"whole":true}`:  {[]string{"check", "lifecycle", "create", "exec", "pause", "update", "prepare", "squashfs"}, nil},
		`{"whole":1}`:     {nil, sdk.ErrInvalid}, // of a driver that is not known, nothing is unsupported
	} {
		client := connect(t, &chooser{}, settings)
		about, err := client.Describe(ctx)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(want.can, about.Capabilities); diff != "" || len(about.Settings) != 1 || about.Settings[0].Default != "false" {
			t.Errorf("%s: %+v\n%s", settings, about, diff)
		}
		if _, err := client.State(ctx, container); sdk.Kind(err) != want.kind {
			t.Errorf("%s: State: %v", settings, err)
		}
		if err := client.Delete(ctx, container, true); sdk.Kind(err) != want.kind {
			t.Errorf("%s: Delete, after another call: %v", settings, err)
		}
	}
	if _, err := connect(t, &chooser{}, `{"whole":true}`).Run(ctx, container); !errors.Is(err, sdk.ErrUnprepared) {
		t.Errorf("the chosen driver prepares: %v", err)
	}
	if _, err := connect(t, &chooser{}, ``).Run(ctx, container); !errors.Is(err, sdk.ErrState) {
		t.Errorf("the other one does not: %v", err)
	}
}
