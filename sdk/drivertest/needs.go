package drivertest

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

// needs ends the case, as lacking, for a driver without the capability.
func (t *trial) needs(capability string) {
	if !t.can(capability) {
		t.Lacks("the driver has no capability %q", capability)
	}
}

// refusedUnlessClaimed proves the driver's word about a capability: without it each of its calls
// is unsupported, and with it none is.
func (t *trial) refusedUnlessClaimed(capability string, calls map[string]call) {
	c := t.container([]string{"exit", "0"})
	t.together(func() {
		for _, name := range slices.Sorted(maps.Keys(calls)) {
			err := c.ask(func(ctx context.Context, d *client.Driver) error { return calls[name](ctx, d, &c.about) })
			switch unsupported := errors.Is(err, sdk.ErrUnsupported); {
			case !t.can(capability) && !unsupported:
				t.Errorf("%s: %s, although the driver claims no %q: %v", name, kindName(err), capability, err)
			case t.can(capability) && unsupported:
				t.Errorf("%s: not supported, although the driver claims %q: %v", name, capability, err)
			}
		}
	})
	if !t.can(capability) {
		t.Lacks("no capability %q (checked: its calls are refused)", capability)
	}
}

// parseReport reads what the probe's report has printed.
func (t *trial) parseReport(out []byte) *probe.Report {
	var r probe.Report
	if err := json.Unmarshal(out, &r); err != nil {
		t.Fatalf("what the program printed is no report: %v: %q", err, clip(string(out)))
	}
	return &r
}
