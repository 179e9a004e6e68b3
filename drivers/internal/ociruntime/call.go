package ociruntime

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	gorunc "github.com/containerd/go-runc"

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
	stdout := new(capped)
	if err := start(cmd, stdout); err != nil {
		return nil, err
	}
	if err := wait(cmd); err != nil {
		return nil, err
	}
	if stdout.over {
		return nil, fmt.Errorf("its output is longer than %d bytes", maxOutput)
	}
	return stdout.kept.Bytes(), nil
}

// failed gives the error of a short call its kind. Doing is a gerund.
func (d *Driver) failed(ctx context.Context, doing string, c *sdk.Container, err error) error {
	switch {
	case err == nil:
		return nil
	case ctx.Err() != nil:
		err = fmt.Errorf("%s did not end in time: %w", d.runtime.name, ctx.Err())
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
func (monitor) Start(cmd *exec.Cmd) (chan gorunc.Exit, error) { return nil, start(cmd, nil) }

// StartLocked implements gorunc.ProcessMonitor.
func (m monitor) StartLocked(cmd *exec.Cmd) (chan gorunc.Exit, error) { return m.Start(cmd) }

// Wait implements gorunc.ProcessMonitor.
func (monitor) Wait(cmd *exec.Cmd, _ chan gorunc.Exit) (int, error) { return 0, wait(cmd) }

const (
	maxOutput  = 1 << 20                // bytes kept of each output stream of a short call
	pipesDelay = 100 * time.Millisecond // how long something else may hold the streams afterwards
)

// start starts a short call with a built environment and bounded output. It stays in the driver's
// process group, so that the host's end of the driver is its end too.
func start(cmd *exec.Cmd, stdout *capped) error {
	cmd.Env = environment()
	cmd.WaitDelay = pipesDelay
	cmd.Stdout = nil
	if stdout != nil {
		cmd.Stdout = stdout
	}
	cmd.Stderr = new(capped)
	return cmd.Start()
}

// wait returns nil where the call succeeded, else an error with its words.
func wait(cmd *exec.Cmd) error {
	err := cmd.Wait()
	if err == nil || errors.Is(err, exec.ErrWaitDelay) && cmd.ProcessState.Success() {
		return nil
	}
	if words, ok := cmd.Stderr.(*capped); ok && words.kept.Len() > 0 {
		return errors.New(words.kept.String())
	}
	return err
}

// capped keeps the first maxOutput bytes written to it.
type capped struct {
	kept bytes.Buffer // not embedded: its ReadFrom would have no bound
	over bool
}

// Write implements io.Writer. It takes everything, so that the writer does not block.
func (c *capped) Write(p []byte) (int, error) {
	room := min(len(p), maxOutput-c.kept.Len())
	c.over = c.over || room < len(p)
	c.kept.Write(p[:room])
	return len(p), nil
}
