package drivertest

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/procfs"
)

func driverCases() []Case {
	return []Case{
		{"driver/check",
			"Check finds the runtime on this node, by name and path, or says what to do; a driver without it says that it has none.",
			"A driver that is first found wanting by a job.",
			(*trial).checks},
		{"driver/plan",
			"Run answers with an absolute path, an argv, and nothing on stdout; it runs nothing, and reads nothing of the job's stdin.",
			"A driver that starts the container itself.",
			(*trial).planOnly},
		{"driver/host-hook",
			"The host's own poststop hook, which removes the container's directory, is no reason to refuse a container; whether the runtime runs it is noted.",
			"The bubblewrap example refused all hooks, and with them everything that berth run gave it.",
			(*trial).hostHook},
		{"driver/strays",
			"The driver leaves no process behind.",
			"An orphan that the job's end waits for.",
			(*trial).driverStrays},
		{"driver/ends-with-host",
			"The driver ends when its host is killed.",
			"go-plugin's driver lives on when its host is killed, and leaves a socket.",
			(*trial).endsWithHost},
		{"driver/survives-signals",
			"Signals meant for the job do not end the driver in mid-call.",
			"SIGUSR1 to all processes of a step kills a driver that has not answered yet.",
			(*trial).survivesSignals},
		{"driver/ends-when-told",
			"A driver that is asked to end does so, and leaves nothing.",
			"go-plugin waits for the end of the driver's stderr, which a child may hold.",
			(*trial).endsWhenTold},
	}
}

func (t *trial) checks() {
	if !t.can("check") {
		err := t.call(func(d *client.Driver) error { _, err := d.Check(t.ctx); return err })
		if !errors.Is(err, sdk.ErrUnsupported) {
			t.Errorf("Check: %s, although the driver claims no \"check\": %v", kindName(err), err)
		}
		t.Lacks("no capability \"check\" (checked: the call is refused)")
	}
	err := t.call(func(d *client.Driver) error {
		found, err := d.Check(t.ctx)
		if found == nil || found.Name == "" || err == nil && !strings.HasPrefix(found.Path, "/") {
			t.Errorf("Check does not say which runtime it found: %+v", found)
		}
		return err
	})
	switch {
	case errors.Is(err, sdk.ErrUnavailable):
		t.Fatalf("the runtime cannot work on this node, so nothing can be proved: %v: %s", err, sdk.Advice(err))
	case err != nil:
		t.Errorf("Check: %s instead of %q: %v", kindName(err), sdk.ErrUnavailable, err)
	}
}

func (t *trial) planOnly() {
	c := t.container([]string{"exit", "0"})
	stdin, stdout := t.file("stdin"), t.file("stdout")
	_, err := stdin.WriteString("the job's input")
	t.must(err)
	_, err = stdin.Seek(0, 0)
	t.must(err)
	task := c.launch(launcher.Request{Then: launcher.Plan}, streams{stdin: stdin, stdout: stdout})
	a, err := task.plan()
	t.must(err)
	task.wait()
	if !strings.HasPrefix(a.Command.Path, "/") || len(a.Command.Args) == 0 {
		t.Errorf("the answer is no command: %+v", a.Command)
	}
	if info, err := stdout.Stat(); err != nil || info.Size() > 0 {
		t.Errorf("the driver wrote on the job's stdout")
	}
	if at, err := stdin.Seek(0, 1); err != nil || at != 0 {
		t.Errorf("the driver read %d bytes of the job's stdin", at)
	}
	if pids := c.programs(); len(pids) > 0 {
		t.Errorf("the driver has started the container itself: %v", pids)
	}
}

func (t *trial) hostHook() {
	var bundle string
	c := t.container([]string{"exit", "42"}, func(spec *specs.Spec) {
		bundle = filepath.Dir(spec.Root.Path)
		spec.Hooks = &specs.Hooks{Poststop: []specs.Hook{{Path: t.probe, Args: []string{t.probe, "--rm", bundle}}}}
	})
	if status := c.run().wait(); status != 42 {
		t.Errorf("with the host's hook: %s", c.tasks[0].describe())
	}
	if os.Remove(bundle+probe.Removed) != nil {
		t.Notef("the runtime runs no hooks: the container's directory stays until the user's next call of berth")
	}
}

func (t *trial) driverStrays() {
	c := t.container([]string{"exit", "0"})
	task := c.run()
	if a, err := task.plan(); err != nil || len(a.Strays) > 0 {
		t.Errorf("left behind: %v; error %v", a.Strays, err)
	}
}

// held starts a launcher that keeps its driver, and returns both.
func (t *trial) held(c *container) (host *task, driver int) {
	host = c.launch(launcher.Request{Then: launcher.Hold}, streams{})
	a, err := host.plan()
	t.must(err)
	return host, a.Driver
}

func (t *trial) endsWithHost() {
	c := t.container([]string{"exit", "0"})
	host, driver := t.held(c)
	t.must(host.cmd.Process.Kill())
	<-host.ended
	t.eventually("the driver ends with its host", func() bool {
		p, ok := procfs.Read(driver)
		return !ok || p.Dead || p.Args[0] != t.cfg.Driver
	})
	t.must(os.RemoveAll(c.scratch())) // the socket's directory is the host's own to sweep
}

func (t *trial) survivesSignals() {
	t.must(t.call(func(d *client.Driver) error {
		for _, sig := range []syscall.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGTERM, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM} {
			t.must(syscall.Kill(d.Pid(), sig)) // it is not reaped before Close
		}
		c := t.container([]string{"exit", "0"})
		return c.plan(t.ctx, d)
	}))
}

func (t *trial) endsWhenTold() {
	var pid int
	t.must(t.call(func(d *client.Driver) error { pid = d.Pid(); return nil }))
	if p, ok := procfs.Read(pid); ok && !p.Dead && p.Args[0] == t.cfg.Driver {
		t.Errorf("the driver, pid %d, still lives", pid)
	}
}
