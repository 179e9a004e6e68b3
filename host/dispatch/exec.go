package dispatch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// ExecRequest asks for a further program in a running container.
type ExecRequest struct {
	ID      string
	Process []byte // the OCI process object; nil: the container's own with what follows
	bundle.FurtherProcess
	IO     sdk.IO
	Files  int
	Anchor bool // this process is an anchor, which IO.Detach needs with a driver that only runs
}

// Exec plans a further program in a running container. sdk.ErrState: it does not run. ErrOnlyRuns: it has
// to be asked for by an anchor.
func (h *Host) Exec(r ExecRequest) (*Plan, error) {
	c, err := h.find(r.ID)
	if err != nil {
		return nil, err
	}
	p := &Plan{host: h, Driver: c.record.Driver, Container: c.dir.Path(), dir: c.dir, record: c.record}
	p.Command, err = p.exec(c, r)
	if err == nil {
		err = p.takeIO()
	}
	if err == nil && h.Guard.Interrupted() != 0 {
		err = context.Cause(h.Guard.Context())
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return p, nil
}

func (p *Plan) exec(c *container, r ExecRequest) (*sdk.Command, error) {
	if err := c.notDead(); err != nil {
		return nil, err
	}
	process, err := c.process(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := limit.WithTimeout(c.host.Guard.Context(), c.host.Config.Deadlines.Run, "no plan")
	defer cancel()
	var cmd *sdk.Command
	err = c.ask(ctx, func(ctx context.Context, d *Driver, ct *sdk.Container) (err error) {
		if r.IO, err = p.divideIO(ctx, d, r); err != nil {
			return err
		}
		cmd, err = d.Exec(ctx, ct, &sdk.Process{Spec: process, IO: r.IO, Files: r.Files})
		return err
	})
	return cmd, err
}

// divideIO returns what the driver has to do of what the caller asked for; the rest is for this process.
func (p *Plan) divideIO(ctx context.Context, d *Driver, r ExecRequest) (sdk.IO, error) {
	if r.IO == (sdk.IO{}) {
		return r.IO, nil
	}
	err := d.creates(ctx)
	switch {
	case !errors.Is(err, ErrOnlyRuns):
		return r.IO, err
	case r.IO.Detach && !r.Anchor:
		return r.IO, ErrOnlyRuns
	}
	p.io = r.IO
	return sdk.IO{}, nil
}

// process is the OCI process object of the further program.
func (c *container) process(r ExecRequest) ([]byte, error) {
	if r.Process != nil {
		return r.Process, nil
	}
	config, err := os.ReadFile(filepath.Join(c.dir.Path(), sdk.ConfigFile))
	if err != nil {
		return nil, fmt.Errorf("reading the effective bundle: %w", err)
	}
	return bundle.Further(config, r.FurtherProcess)
}
