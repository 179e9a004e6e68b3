package dispatch

import (
	"context"
	"fmt"
	"os"
	"path/filepath"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/sdk"
)

// ExecRequest asks for a further program in a running container.
type ExecRequest struct {
	ID      string
	Process []byte // the OCI process object; nil: the container's own with what follows
	Args    []string
	Env     []string
	Workdir string
	TTY     bool
	IO      sdk.IO
	Files   int
}

// Exec plans a further program in a running container. sdk.ErrState: it does not run.
func (h *Host) Exec(r ExecRequest) (*Plan, error) {
	c, err := h.find(r.ID)
	if err != nil {
		return nil, err
	}
	p := &Plan{host: h, Driver: c.record.Driver, Container: c.dir.Path(), dir: c.dir, record: c.record}
	p.Command, err = c.exec(r)
	if err == nil && h.Guard.Interrupted() != 0 {
		err = context.Cause(h.Guard.Context())
	}
	if err != nil {
		c.close()
		return nil, err
	}
	return p, nil
}

func (c *container) exec(r ExecRequest) (*sdk.Command, error) {
	if err := c.notDead(); err != nil {
		return nil, err
	}
	process, err := c.process(r)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(c.host.Guard.Context(), c.host.Config.Deadlines.Run)
	defer cancel()
	var cmd *sdk.Command
	err = c.ask(ctx, func(ctx context.Context, d *Driver, ct *sdk.Container) (err error) {
		cmd, err = d.Exec(ctx, ct, &sdk.Process{Spec: process, IO: r.IO, Files: r.Files})
		return err
	})
	return cmd, err
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
	return bundle.Further(config, bundle.FurtherProcess{Args: r.Args, Env: r.Env, Workdir: r.Workdir, Terminal: r.TTY})
}
