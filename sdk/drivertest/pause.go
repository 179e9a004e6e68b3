package drivertest

import (
	"context"
	"errors"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
)

func pauseCases() []Case {
	return []Case{
		{"pause/capability",
			"Pause and Resume are refused as unsupported by a driver that does not claim pause.",
			"A capability list kept by hand that has drifted from the code.",
			(*trial).pauseClaim},
		{"pause/phases",
			"A paused container is paused, does nothing until resumed, and then goes on; where this caller cannot pause, the driver says why.",
			"A rootless pause that succeeds and stops nothing.",
			(*trial).pausePhases},
		{"pause/wrong-state",
			"Pausing an unknown container and resuming one that is not paused are refused by the right kind.",
			"A resume that thaws a control group of the job's own.",
			(*trial).pauseStates},
		{"pause/delete",
			"A paused container is deleted with force.",
			"runc's delete --force waits for ever for frozen processes to die.",
			(*trial).pauseDelete},
	}
}

func (t *trial) pauseClaim() {
	if t.can("pause") {
		return // whether it works depends on the node: pause/phases
	}
	t.refusedUnlessClaimed("pause", map[string]call{
		"Pause":  func(ctx context.Context, d *client.Driver, c *sdk.Container) error { return d.Pause(ctx, c) },
		"Resume": func(ctx context.Context, d *client.Driver, c *sdk.Container) error { return d.Resume(ctx, c) },
	})
}

// paused starts a container and pauses it, or ends the case.
func (t *trial) paused() (*container, *task) {
	t.needs("pause")
	c := t.container([]string{"wait", "0"})
	task := c.waiting()
	switch err := c.pause(); {
	case errors.Is(err, sdk.ErrUnsupported) || errors.Is(err, sdk.ErrUnavailable):
		t.Lacks("pausing on this node, as this user: %v", err)
	case err != nil:
		t.Fatalf("pause: %s: %v", kindName(err), err)
	}
	c.reaches(sdk.StatusPaused)
	return c, task
}

func (t *trial) pausePhases() {
	c, task := t.paused()
	t.must(task.cmd.Process.Signal(syscall.SIGUSR1)) // would be answered at once
	if err := c.pause(); !errors.Is(err, sdk.ErrState) {
		t.Errorf("pause of a paused container: %s instead of %q: %v", kindName(err), sdk.ErrState, err)
	}
	if task.got(syscall.SIGUSR1) > 0 {
		t.Errorf("the paused program goes on")
	}
	t.must(c.resume())
	c.reaches(specs.StateRunning)
	t.eventually("the resumed program goes on", func() bool { return task.got(syscall.SIGUSR1) == 1 })
}

func (t *trial) pauseStates() {
	t.needs("pause")
	c := t.container([]string{"wait", "0"})
	for name, err := range map[string]error{"pause": c.pause(), "resume": c.resume()} {
		if !errors.Is(err, sdk.ErrNotFound) && !errors.Is(err, sdk.ErrUnsupported) && !errors.Is(err, sdk.ErrUnavailable) {
			t.Errorf("%s of an unknown container: %s instead of %q: %v", name, kindName(err), sdk.ErrNotFound, err)
		}
	}
	c.waiting()
	if err := c.resume(); !errors.Is(err, sdk.ErrState) && !errors.Is(err, sdk.ErrUnsupported) && !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("resume of a running container: %s instead of %q: %v", kindName(err), sdk.ErrState, err)
	}
}

func (t *trial) pauseDelete() {
	c, task := t.paused()
	t.must(c.delete(true))
	if status := task.wait(); status == 0 {
		t.Errorf("the task reports success although its container was deleted")
	}
}
