package dispatch

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/host/anchor"
	"github.com/berth-hpc/berth/sdk"
)

// Anchor plans a container of a driver that only runs, for a caller that creates and starts: this
// process then Holds until the container is started. With r.IO.Detach it does not wait for that, for
// callers that run in the background.
func (h *Host) Anchor(r Request) (*Plan, error) {
	asked := r.IO
	r.IO = sdk.IO{}
	operation := opRun
	if r.DeletePromised {
		operation = opAnchor
	}
	p, err := h.plan(r, operation, func(ctx context.Context, _ *Plan, d *Driver, c *sdk.Container) (*sdk.Command, error) {
		return d.Run(ctx, c)
	})
	if err != nil {
		return nil, err
	}
	p.io = asked
	if err := p.ready(); err != nil {
		p.Discard()
		return nil, err
	}
	return p, nil
}

// ready gives the container what its caller asked for, closes the gate in front of it, and records it.
func (p *Plan) ready() error {
	if p.needsTerminal && p.io.ConsoleSocket == "" && !IsTerminal(0) {
		err := sdk.Mark(errors.New("the container wants a terminal, and its caller names no console socket"), sdk.ErrInvalid)
		return sdk.WithAdvice(err, "give --console-socket, or process.terminal = false in config.json")
	}
	if err := p.takeIO(); err != nil {
		return err
	}
	var err error
	if !p.io.Detach {
		if p.gate, err = anchor.MakeGate(p.dir.Path()); err != nil {
			return err
		}
	}
	p.record.Creating = false
	if err := p.dir.WriteRecord(p.record); err != nil {
		return fmt.Errorf("recording the container: %w", err)
	}
	p.dir.Unlock() // from here on anybody may start or delete it
	return nil
}

// takeIO does for a driver that only runs what a runtime that creates does itself.
func (p *Plan) takeIO() error {
	if p.io.ConsoleSocket != "" {
		if err := anchor.TakeTerminal(p.io.ConsoleSocket, p.rows, p.columns); err != nil {
			return err
		}
	}
	if p.io.PidFile == "" {
		return nil
	}
	if err := os.WriteFile(p.io.PidFile, []byte(strconv.Itoa(os.Getpid())), 0o644); err != nil {
		return sdk.Mark(fmt.Errorf("writing the pid file: %w", err), sdk.ErrUnavailable)
	}
	return nil
}

// Hold waits for the start, where there is one to come, and becomes the plan. It returns where it could
// not, with the reason; by a signal before the start it ends the process.
func (p *Plan) Hold() error {
	if p.gate != nil {
		guard := p.host.Guard
		stop := context.AfterFunc(guard.Context(), func() { guard.DieOf(guard.Interrupted()) })
		err := p.gate.Wait()
		if !stop() {
			select {} // the signal is on its way
		}
		if err != nil {
			return err
		}
		defer p.gate.Close()
	}
	err := p.host.Guard.Exec(p.Command)
	return fmt.Errorf("driver %q: %w", p.Driver, sdk.Mark(err, sdk.ErrUnavailable))
}

// Anchored says whether a container is, or was, held by an anchor. One that does not exist is not.
func (h *Host) Anchored(id string) bool {
	c, err := h.find(id)
	if err != nil {
		return false // whoever asks for more is told
	}
	defer c.close()
	return c.record.Operation == opAnchor
}

// waits says whether the container is created by an anchor, which waits to start it.
func (c *container) waits() bool { return anchor.Waits(c.dir.Path()) && c.alive() }

// open has the container's anchor become the container.
func (c *container) open(ctx context.Context) error {
	err := anchor.Open(ctx, c.dir.Path())
	if errors.Is(err, fs.ErrNotExist) {
		err = sdk.Mark(fmt.Errorf("it is %s", specs.StateRunning), sdk.ErrState)
	}
	if err != nil {
		return fmt.Errorf("starting container %q: %w", c.dir.ID(), err)
	}
	return nil
}
