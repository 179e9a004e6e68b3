package ociruntime

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"

	gorunc "github.com/containerd/go-runc"

	"github.com/berth-hpc/berth/drivers/internal/capture"
	"github.com/berth-hpc/berth/sdk"
)

// client returns go-runc for the short calls about c. Their errors go through failed.
func (d *Driver) client(c *sdk.Container) (*gorunc.Runc, error) {
	if err := d.present(); err != nil {
		return nil, err
	}
	root, err := d.root(c)
	if err != nil {
		return nil, err
	}
	// The runtime's words come back as errors, so c.Log stays out: the host writes that log.
	return &gorunc.Runc{Command: d.settings.Runtime, ExtraArgs: d.globals(root, sdk.Log{})}, nil
}

// output makes a short call and returns the runtime's stdout. go-runc would mix stderr into it.
func (d *Driver) output(ctx context.Context, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, d.settings.Runtime, args...)
	if err := start(cmd); err != nil {
		return nil, err
	}
	out, err := wait(cmd)
	if out.TooMuch {
		return nil, fmt.Errorf("its output is longer than %d bytes", capture.Limit)
	}
	return out.Stdout, err
}

// failed gives the error of a short call its kind. Doing is a gerund.
func (d *Driver) failed(ctx context.Context, doing string, c *sdk.Container, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = fmt.Errorf("%s did not end in time: %w", d.runtime.name, context.Cause(ctx))
	default:
		// go-runc keeps the text of an error, not its identity, and adds the output, of
		// which monitor leaves it none.
		text := strings.TrimSuffix(strings.TrimSuffix(err.Error(), ": <nil>"), ": ")
		err = d.runtime.classify(text)
	}
	return fmt.Errorf("%s container %q: %w", doing, c.ID, err)
}

// monitor is how go-runc starts and waits for the runtime: with what this package asks of every
// short call.
type monitor struct{}

// Start implements gorunc.ProcessMonitor.
func (monitor) Start(cmd *exec.Cmd) (chan gorunc.Exit, error) { return nil, start(cmd) }

// StartLocked implements gorunc.ProcessMonitor.
func (m monitor) StartLocked(cmd *exec.Cmd) (chan gorunc.Exit, error) { return m.Start(cmd) }

// Wait implements gorunc.ProcessMonitor.
func (monitor) Wait(cmd *exec.Cmd, _ chan gorunc.Exit) (int, error) {
	_, err := wait(cmd)
	return 0, err
}

// start starts a short call with a built environment. It stays in the driver's process group, so that the host's
// end of the driver is its end too.
func start(cmd *exec.Cmd) error {
	cmd.Env = environment()
	return capture.Start(cmd)
}

// wait returns what a call wrote, and where it failed an error with its words.
func wait(cmd *exec.Cmd) (capture.Output, error) {
	out, err := capture.Wait(cmd)
	if err != nil && len(out.Stderr) > 0 {
		err = errors.New(string(out.Stderr))
	}
	return out, err
}
