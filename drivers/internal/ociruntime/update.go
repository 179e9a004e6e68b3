package ociruntime

import (
	"context"
	"encoding/json"
	"fmt"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Update implements sdk.Updater.
func (d *Driver) Update(ctx context.Context, c *sdk.Container, resources json.RawMessage) error {
	var limits specs.LinuxResources
	if err := json.Unmarshal(resources, &limits); err != nil {
		return fmt.Errorf("reading the limits: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	allowed := []specs.ContainerState{specs.StateCreated, specs.StateRunning, sdk.StatusPaused}
	if _, err := d.require(ctx, c, "updating", allowed...); err != nil {
		return err
	}
	client, err := d.client(c)
	if err != nil {
		return err
	}
	err = d.explained(ctx, c, "updating", client.Update(ctx, c.ID, &limits), allowed...)
	if err != nil && sdk.Kind(err) == nil { // what is left: the control group lacks it, or is none of this user's
		err = sdk.Mark(err, sdk.ErrUnavailable)
	}
	return err
}
