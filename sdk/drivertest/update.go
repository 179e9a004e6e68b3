package drivertest

import (
	"context"
	"encoding/json"
	"errors"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
)

func updateCases() []Case {
	return []Case{
		{"update/capability",
			"Update is refused as unsupported by a driver that does not claim update.",
			"A capability list kept by hand that has drifted from the code.",
			(*trial).updateClaim},
		{"update/wrong-state",
			"Limits that are no object are invalid; those of an unknown container are refused as not found.",
			"An update that writes into a control group of the job's own.",
			(*trial).updateStates},
		{"update/unharmed",
			"Limits of a running container are set, or the driver says why it cannot; the container goes on.",
			"A failed update that leaves a container frozen.",
			(*trial).updateRunning},
	}
}

func (c *container) update(resources string) error {
	return c.ask(func(ctx context.Context, d *client.Driver) error {
		return d.Update(ctx, &c.about, json.RawMessage(resources))
	})
}

// someLimits is more than any container of the kit needs.
const someLimits = `{"pids":{"limit":4096}}`

func (t *trial) updateClaim() {
	if t.can("update") {
		return // whether it works depends on the node: update/unharmed
	}
	t.refusedUnlessClaimed("update", map[string]call{
		"Update": func(ctx context.Context, d *client.Driver, c *sdk.Container) error {
			return d.Update(ctx, c, json.RawMessage(someLimits))
		},
	})
}

func (t *trial) updateStates() {
	t.needs("update")
	c := t.container([]string{"wait", "0"})
	if err := c.update(someLimits); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("update of an unknown container: %s instead of %q: %v", kindName(err), sdk.ErrNotFound, err)
	}
	c.waiting()
	if err := c.update(`["pids"]`); !errors.Is(err, sdk.ErrInvalid) {
		t.Errorf("limits that are a list: %s instead of %q: %v", kindName(err), sdk.ErrInvalid, err)
	}
}

func (t *trial) updateRunning() {
	t.needs("update")
	c := t.container([]string{"wait", "0"})
	task := c.waiting()
	err := c.update(someLimits)
	if err != nil && sdk.Kind(err) == nil {
		t.Errorf("update: %v: an error of no kind", err)
	}
	t.must(c.kill(9, false))
	if status := task.wait(); status == 0 {
		t.Errorf("the task reports success although its container was killed")
	}
	if err != nil {
		t.Lacks("changing limits on this node, as this user: %v", err)
	}
}
