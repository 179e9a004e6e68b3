package ociruntime

import (
	"context"
	"encoding/json"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/internal/golden"
	"github.com/berth-hpc/berth/sdk"
)

type argvCase struct {
	name     string
	settings Settings // what differs from the defaults
	change   func(*sdk.Container)
	process  *sdk.Process // of exec
}

func argvCases() []argvCase {
	none := func(*sdk.Container) {}
	return []argvCase{
		{name: "plain", change: none},
		{name: "root in the bundle", change: func(c *sdk.Container) { c.Root = "/b/rt" }},
		{name: "detached", change: func(c *sdk.Container) { c.IO = sdk.IO{Detach: true, PidFile: "/p"} }},
		{name: "terminal", change: func(c *sdk.Container) { c.IO.ConsoleSocket = "/s" }},
		{name: "descriptors", change: func(c *sdk.Container) { c.Files = 3 }},
		{name: "systemd", change: func(c *sdk.Container) { c.IO.CgroupManager = "systemd" }},
		{name: "ramdisk", change: func(c *sdk.Container) { c.IO.NoPivot, c.IO.NoNewKeyring = true, true }},
		{name: "log", change: func(c *sdk.Container) { c.Log = sdk.Log{Path: "/a:b", Format: "json", Debug: true} }},
		{name: "everything", change: func(c *sdk.Container) {
			c.Files, c.Log = 1, sdk.Log{Path: "/l"}
			c.IO = sdk.IO{ConsoleSocket: "/s", PidFile: "/p", Detach: true, NoPivot: true, NoNewKeyring: true}
		}},
		{name: "settings", settings: Settings{NoPivot: true, DebugLog: "/d"}, change: none},
		{name: "caller's log before the setting's", settings: Settings{DebugLog: "/d"}, change: func(c *sdk.Container) { c.Log.Path = "/l" }},
		{name: "rootless", settings: Settings{Rootless: "true"}, change: none},
		{name: "cgroups", settings: Settings{CgroupManager: "disabled"}, change: none},
	}
}

func TestArguments(t *testing.T) {
	for _, r := range []Runtime{Runc(), Crun()} {
		var got strings.Builder
		for _, test := range argvCases() {
			if test.settings.Rootless != "" && !r.takesRootless || test.settings.CgroupManager != "" && !r.takesCgroupManager {
				continue
			}
			d := New(r)
			s := d.Settings().(*Settings)
			s.NoPivot, s.DebugLog, s.CgroupManager = test.settings.NoPivot, test.settings.DebugLog, test.settings.CgroupManager
			if test.settings.Rootless != "" {
				s.Rootless = test.settings.Rootless
			}
			c := &sdk.Container{ID: "c1", Bundle: "/b", Root: "/r"}
			test.change(c)
			run, err1 := d.beginGlobals("run", c.Root, c)
			create, err2 := d.beginGlobals("create", c.Root, c)
			if err1 != nil || err2 != nil {
				t.Fatal(err1, err2)
			}
			for _, plan := range []*sdk.Command{
				d.plan(run, d.beginArgs("run", c)),
				d.plan(create, d.beginArgs("create", c)),
				d.plan(d.globals(c.Root, c.Log), execArgs(c.ID, "/r/c1/p", &sdk.Process{IO: c.IO, Files: c.Files})),
			} {
				got.WriteString(test.name + ": " + strings.Join(plan.Args, " ") + "\n")
			}
		}
		golden.Check(t, "testdata/argv-"+r.name+".txt", got.String())
	}
}

func TestPlanIsComplete(t *testing.T) {
	for _, value := range []string{"LISTEN_FDS=3", "LD_PRELOAD=/evil.so", "PLUGIN_X=1", "_LIBCONTAINER_INITPIPE=3", "NOTIFY_SOCKET=/n", "PATH=/evil", "BERTH_X=1"} {
		name, text, _ := strings.Cut(value, "=")
		t.Setenv(name, text)
	}
	t.Setenv("HOME", "/home/u")
	t.Setenv("TERM", "vt100")
	t.Setenv("XDG_RUNTIME_DIR", "/run/user/7")
	want := []string{"PATH=" + path, "HOME=/home/u", "TERM=vt100", "XDG_RUNTIME_DIR=/run/user/7"}
	cmd := New(Runc()).plan(nil, nil)
	if diff := cmp.Diff(want, cmd.Env); diff != "" {
		t.Error(diff)
	}
	if !filepath.IsAbs(cmd.Path) || cmd.Args[0] != "runc" || cmd.Dir != "" {
		t.Errorf("path %q, args %q, dir %q", cmd.Path, cmd.Args, cmd.Dir)
	}
}

func TestExecRefusesWhatMakesNoSense(t *testing.T) {
	for _, test := range []struct {
		name string
		p    sdk.Process
		want error
	}{
		{"no JSON", sdk.Process{Spec: json.RawMessage("{")}, sdk.ErrInvalid},
		{"no args", sdk.Process{Spec: json.RawMessage(`{"cwd":"/"}`)}, sdk.ErrInvalid},
		{"relative cwd", sdk.Process{Spec: json.RawMessage(`{"args":["x"],"cwd":"tmp"}`)}, sdk.ErrInvalid},
		{"no-pivot", sdk.Process{Spec: json.RawMessage(`{"args":["x"],"cwd":"/"}`), IO: sdk.IO{NoPivot: true}}, sdk.ErrUnsupported},
		{"unknown container", sdk.Process{Spec: json.RawMessage(`{"args":["x"],"cwd":"/"}`)}, sdk.ErrNotFound},
	} {
		t.Run(test.name, func(t *testing.T) {
			_, err := New(Crun()).Exec(context.Background(), &sdk.Container{ID: "c", Root: t.TempDir()}, &test.p)
			if sdk.Kind(err) != test.want {
				t.Errorf("got %v, want %v", err, test.want)
			}
		})
	}
}
