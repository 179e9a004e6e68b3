package drivertest

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

// container is one container of a case, from its bundle to its traces.
type container struct {
	t     *trial
	dir   string
	spec  *specs.Spec
	about sdk.Container // what the driver is told
	tasks []*task
}

// container makes a bundle that runs the probe with args.
func (t *trial) container(args []string, edits ...edit) *container {
	return t.command(append([]string{probe.Name}, args...), edits...)
}

// command makes a bundle that runs any command. At the end of the case the container is deleted,
// and whatever is left of it is a fault.
func (t *trial) command(command []string, edits ...edit) *container {
	n := len(t.containers) + 1
	id := fmt.Sprint(t.idPrefix(), n)
	c := &container{t: t, dir: filepath.Join(t.dir, fmt.Sprint(n))}
	c.about = sdk.Container{ID: id, Bundle: filepath.Join(c.dir, "bundle"), Root: filepath.Join(c.dir, "root")}
	for _, dir := range []string{c.dir, c.about.Bundle, c.about.Root, c.scratch()} {
		t.must(os.Mkdir(dir, 0o700))
	}
	rootfs := filepath.Join(c.about.Bundle, "rootfs")
	t.must(t.newRootfs(rootfs))
	c.spec = t.newSpec(rootfs, id, command)
	for _, e := range edits {
		e(c.spec)
	}
	if t.can("prepare") {
		t.must(os.Mkdir(c.shared(), 0o700))
	}
	t.must(writeSpec(c.about.Bundle, c.spec))
	c.about.Annotations = c.spec.Annotations
	t.containers = append(t.containers, c)
	return c
}

// idPrefix begins the IDs of the case's containers, and of no others.
func (t *trial) idPrefix() string { return t.boot + "-" + filepath.Base(t.dir) + "-" }

func (c *container) scratch() string { return filepath.Join(c.dir, "s") }

// shared is the directory of the container's step, for a driver that prepares.
func (c *container) shared() string { return filepath.Join(c.dir, "shared") }

// plan asks for a plan and does nothing with it.
func (c *container) plan(ctx context.Context, d *client.Driver) error {
	_, err := launcher.Prepared(ctx, d, &c.about, c.shared(), d.Run)
	if errors.Is(err, sdk.ErrUnsupported) && c.t.can("create") {
		_, err = launcher.Prepared(ctx, d, &c.about, c.shared(), d.Create)
	}
	return err
}

func (c *container) state() (state *specs.State, err error) {
	err = c.ask(func(ctx context.Context, d *client.Driver) error {
		state, err = d.State(ctx, &c.about)
		return err
	})
	return state, err
}

func (c *container) kill(sig syscall.Signal, all bool) error {
	return c.ask(func(ctx context.Context, d *client.Driver) error { return d.Kill(ctx, &c.about, sig, all) })
}

func (c *container) delete(force bool) error {
	return c.ask(func(ctx context.Context, d *client.Driver) error { return d.Delete(ctx, &c.about, force) })
}

func (c *container) start() error {
	return c.ask(func(ctx context.Context, d *client.Driver) error { return d.Start(ctx, &c.about) })
}

func (c *container) pause() error {
	return c.ask(func(ctx context.Context, d *client.Driver) error { return d.Pause(ctx, &c.about) })
}

func (c *container) resume() error {
	return c.ask(func(ctx context.Context, d *client.Driver) error { return d.Resume(ctx, &c.about) })
}

func (c *container) ask(f func(context.Context, *client.Driver) error) error {
	return c.t.call(func(d *client.Driver) error { return f(c.t.ctx, d) })
}

// status is the container's status in words, for comparing: "created", "running", "paused",
// "stopped", or the kind of the error.
func (c *container) status() string {
	state, err := c.state()
	if err != nil {
		return kindName(err)
	}
	return string(state.Status)
}

// reaches waits for a status.
func (c *container) reaches(want specs.ContainerState) bool {
	var last string
	if c.t.until(func() bool { last = c.status(); return last == string(want) }) {
		return true
	}
	c.t.Errorf("the container's status is %s, not %q", last, want)
	return false
}
