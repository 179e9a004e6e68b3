package drivertest

import (
	"context"
	"errors"
	"os"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
)

func refusalCases() []Case {
	return []Case{
		{"refusals/prepare",
			"Prepare and Release are refused as unsupported by a driver that does not claim prepare; for one that does, Release twice of a step without images is no error.",
			"A clean-up after a crash that fails because there is nothing to clean up.",
			(*trial).prepareClaim},
		{"refusals/capabilities",
			"The driver's capabilities are those that berth knows, each once.",
			"A capability that the host never looks at.",
			(*trial).knownCapabilities},
		{"refusals/second-use",
			"Running a second container of an ID is refused while the first runs, and the first is unharmed.",
			"A failed run that cleans up the other one's state.",
			(*trial).runTwice},
		{"refusals/bundle",
			"A bundle without config.json, or with a broken one, is refused as invalid, or fails in the runtime with a message.",
			"runc panics on the config.json \"null\".",
			(*trial).brokenBundles},
		{"refusals/rootfs",
			"A root file system that does not exist fails with a message and leaves nothing.",
			"A container that runs in the node's own root.",
			(*trial).missingRootfs},
		{"refusals/id",
			"IDs that could leave a directory or pass for an option are refused as invalid.",
			"crun 1.8 opens ROOT/../status for the ID \"..\".",
			(*trial).badIDs},
		{"refusals/isolation",
			"Each thing of a container's own, namespaces, host name, terminals, shared memory and capabilities, is given; or, by a driver declared to lack isolation, refused as unsupported, by the name of its field.",
			"A container that shares the node's processes although its bundle says otherwise.",
			(*trial).isolation},
	}
}

func (t *trial) prepareClaim() {
	step := &sdk.Step{Job: "1", Step: "0", Tasks: 1, Node: "kit", Dir: t.dir}
	if !t.can("prepare") {
		t.refusedUnlessClaimed("prepare", map[string]call{
			"Prepare": func(ctx context.Context, d *client.Driver, c *sdk.Container) error {
				c.Step = step
				return d.Prepare(ctx, c, func(sdk.Progress) {})
			},
			"Release": func(ctx context.Context, d *client.Driver, _ *sdk.Container) error { return d.Release(ctx, step) },
		})
	}
	for range 2 {
		t.must(t.call(func(d *client.Driver) error { return d.Release(t.ctx, step) }))
	}
}

func (t *trial) knownCapabilities() {
	known := map[string]bool{"check": true, "lifecycle": true, "create": true, "exec": true, "pause": true, "update": true, "prepare": true,
		sdk.ImageSquashFS: true, sdk.ImageSIF: true}
	for _, name := range t.about.Capabilities {
		if !known[name] {
			t.Errorf("capability %q is unknown to berth, or named twice", name)
		}
		known[name] = false
	}
	if t.can("create") && !t.can("lifecycle") {
		t.Errorf("capability \"create\" without \"lifecycle\": nobody can delete what was created")
	}
}

func (t *trial) runTwice() {
	if !t.can("lifecycle") {
		t.Lacks("the runtime keeps no state; the host's own records keep IDs apart")
	}
	c := t.container([]string{"wait", "6"})
	task := c.waiting()
	t.refusedAsExisting(c.launch(launcher.Request{}, streams{}))
	c.reaches(specs.StateRunning)
	task.stdin.Close()
	if status := task.wait(); status != 6 {
		t.Errorf("the first container was harmed: %s", task.describe())
	}
}

func (t *trial) brokenBundles() {
	for _, text := range []string{"", "null", "{", `{"ociVersion":"1.0.2"}`, "[]"} {
		c := t.container([]string{"exit", "0"})
		config := c.about.Bundle + "/" + sdk.ConfigFile
		t.must(os.WriteFile(config, []byte(text), 0o600))
		if text == "" {
			t.must(os.Remove(config))
		}
		if err := c.planned(); !errors.Is(err, sdk.ErrInvalid) { // else the runtime never sees it
			t.failsWell(c, "config.json "+text)
		}
	}
}

// failsWell checks a container that cannot run: an error of the driver's is invalid, and a failure
// of the runtime's has a message.
func (t *trial) failsWell(c *container, what string) {
	task := c.run()
	switch _, err := task.plan(); {
	case err != nil && !errors.Is(err, sdk.ErrInvalid):
		t.Errorf("%s: %s instead of %q: %v", what, kindName(err), sdk.ErrInvalid, err)
	case task.status() == 0:
		t.Errorf("%s: the task reports success", what)
	case task.err.String() == "":
		t.Errorf("%s: no message", what)
	case task.out.String() != "":
		t.Errorf("%s: somebody wrote on the job's stdout: %q", what, clip(task.out.String()))
	}
}

func (t *trial) missingRootfs() {
	t.failsWell(t.container([]string{"exit", "0"}, func(spec *specs.Spec) { spec.Root.Path += "-missing" }), "root.path")
}

func (t *trial) badIDs() {
	c := t.container([]string{"exit", "0"})
	good := c.about.ID
	defer func() { c.about.ID = good }()
	t.together(func() {
		for _, id := range []string{"..", ".", "a/b", "-x", "", "a b", "a\nb"} {
			c.about.ID = id
			err := c.planned()
			if !errors.Is(err, sdk.ErrInvalid) {
				t.Errorf("ID %q: %s instead of %q: %v", id, kindName(err), sdk.ErrInvalid, err)
			}
		}
	})
}
