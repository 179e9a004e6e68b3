package drivertest

import (
	"context"
	"errors"
	"os"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
)

func lifecycleCases() []Case {
	return []Case{
		{"lifecycle/capability",
			"State, Kill and Delete work for a driver that claims lifecycle, and are refused as unsupported otherwise.",
			"A capability list kept by hand that has drifted from the code.",
			(*trial).lifecycleClaim},
		{"lifecycle/phases",
			"The state of a container that runs, has ended and is deleted is running, then stopped or not found, then not found.",
			"A zombie that crun 1.8 calls running for ever.",
			(*trial).lifecyclePhases},
		{"lifecycle/killed",
			"A container whose first process was killed is stopped or gone, cannot be signalled, and is deleted without force.",
			"crun 1.8 calls it running until it is reaped, and refuses to delete it.",
			(*trial).lifecycleKilled},
		{"lifecycle/delete-running",
			"Delete refuses a running container, and with force ends it; a second delete with force is no error.",
			"A delete that leaves the processes, and then no record of them.",
			(*trial).deleteRunning},
		{"lifecycle/unknown",
			"State, Kill and Delete of an unknown ID are not found, and Delete with force is no error.",
			"Untyped text that differs by runtime and version.",
			(*trial).lifecycleUnknown},
		{"lifecycle/runtime-killed",
			"After SIGKILL of the task's process, delete with force leaves nothing.",
			"A SIGKILLed foreground runc leaves its container running.",
			(*trial).runtimeKilled},
	}
}

type call = func(context.Context, *client.Driver, *sdk.Container) error

func (t *trial) lifecycleClaim() {
	t.refusedUnlessClaimed("lifecycle", map[string]call{
		"State": func(ctx context.Context, d *client.Driver, c *sdk.Container) error {
			_, err := d.State(ctx, c)
			return err
		},
		"Kill": func(ctx context.Context, d *client.Driver, c *sdk.Container) error {
			return d.Kill(ctx, c, syscall.SIGTERM, false)
		},
		"Delete": func(ctx context.Context, d *client.Driver, c *sdk.Container) error { return d.Delete(ctx, c, true) },
	})
}

func (t *trial) lifecyclePhases() {
	t.needs("lifecycle")
	c := t.container([]string{"wait", "0"})
	task := c.waiting()
	c.reaches(specs.StateRunning)
	task.stdin.Close()
	task.wait()
	t.afterEnd(c)
	t.must(c.delete(true))
	if _, err := c.state(); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("state after delete: %s instead of %q: %v", kindName(err), sdk.ErrNotFound, err)
	}
}

// afterEnd checks a container whose task has ended: the runtime may keep its state or not.
func (t *trial) afterEnd(c *container) {
	stopped, gone := string(specs.StateStopped), kindName(sdk.ErrNotFound)
	var last string
	if !t.until(func() bool { last = c.status(); return last == stopped || last == gone }) {
		t.Errorf("the status is %s instead of %q or not found", last, stopped)
	}
}

func (t *trial) lifecycleKilled() {
	t.needs("lifecycle")
	c := t.container([]string{"wait", "0"})
	task := c.waiting()
	t.must(c.kill(syscall.SIGKILL, false))
	task.wait()
	t.afterEnd(c)
	if err := c.kill(syscall.SIGTERM, false); !errors.Is(err, sdk.ErrState) && !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("kill after the end: %s instead of %q or %q: %v", kindName(err), sdk.ErrState, sdk.ErrNotFound, err)
	}
	if err := c.delete(false); err != nil && !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("delete after the end: %v", err)
	}
}

func (t *trial) deleteRunning() {
	t.needs("lifecycle")
	c := t.container([]string{"wait", "0"})
	task := c.waiting()
	if err := c.delete(false); !errors.Is(err, sdk.ErrState) {
		t.Errorf("delete of a running container: %s instead of %q: %v", kindName(err), sdk.ErrState, err)
	}
	c.reaches(specs.StateRunning)
	t.must(c.delete(true))
	if status := task.wait(); status == 0 {
		t.Errorf("the task reports success although its container was deleted")
	}
	if err := c.delete(true); err != nil {
		t.Errorf("delete with force, a second time: %v", err)
	}
}

func (t *trial) lifecycleUnknown() {
	t.needs("lifecycle")
	c := t.container([]string{"exit", "0"})
	t.together(func() {
		_, stateErr := c.state()
		for name, err := range map[string]error{
			"State": stateErr, "Kill": c.kill(syscall.SIGTERM, false), "Kill of all": c.kill(syscall.SIGTERM, true), "Delete": c.delete(false),
		} {
			if !errors.Is(err, sdk.ErrNotFound) {
				t.Errorf("%s of an unknown ID: %s instead of %q: %v", name, kindName(err), sdk.ErrNotFound, err)
			}
		}
		if err := c.delete(true); err != nil {
			t.Errorf("Delete of an unknown ID with force: %v", err)
		}
	})
}

func (t *trial) runtimeKilled() {
	t.needs("lifecycle")
	c := t.container([]string{"wait", "0"})
	task := c.waiting()
	t.must(task.cmd.Process.Kill())
	<-task.ended
	t.must(c.delete(true))
	t.must(os.RemoveAll(c.scratch())) // see signalsFatal
	t.eventually("the program has ended", func() bool { return len(c.programs()) == 0 })
}
