package main

import (
	"context"
	"fmt"
	"os"

	"github.com/berth-hpc/berth/sdk"
)

// oci runs containers by the runtime's oci commands, which are for root alone. Apptainer and hpcng
// Singularity create and start, below a monitor of their own that keeps the state; SingularityCE hands
// what it is told to crun or runc, and is used in one command.
type oci struct {
	settings *settings
	root     bool // the caller is the node's root
}

// Choose implements sdk.Chooser.
func (d *native) Choose() sdk.Driver {
	if d.settings.Mode == ociMode {
		return &oci{d.settings, nodesRoot()}
	}
	return d
}

// Check implements sdk.Checker.
func (d *oci) Check(ctx context.Context) (*sdk.Runtime, error) {
	f, err := look(ctx, d.settings)
	if err != nil {
		return &sdk.Runtime{Name: "singularity"}, err
	}
	found := &sdk.Runtime{Name: f.name, Path: d.settings.Runtime, Version: f.version}
	if err := d.privileged(); err != nil {
		return found, err
	}
	if err := d.cgroups(ctx); err != nil {
		return found, err
	}
	return found, d.sudoWorks(ctx)
}

// Run implements sdk.Driver, for SingularityCE.
func (d *oci) Run(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	f, err := d.ready(ctx)
	if err != nil {
		return nil, err
	}
	if !f.has(f.wraps) {
		if _, _, err := d.examine(c); err != nil {
			return nil, err
		}
		return nil, sdk.Mark(fmt.Errorf("%s's oci run loses the exit status at times: containers are created and started", f.name), sdk.ErrUnsupported)
	}
	if err := d.inOneCommand(c); err != nil {
		return nil, err
	}
	if err := os.WriteFile(mark(c), nil, 0o600); err != nil {
		return nil, fmt.Errorf("noting that the runtime knows the container: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	args := []string{"run", "--bundle", c.Bundle}
	if c.IO.PidFile != "" {
		args = append(args, "--pid-file", c.IO.PidFile)
	}
	argv := d.argv(3, append(args, c.ID)...)
	return &sdk.Command{Path: argv[0], Args: argv, Env: ownEnvironment()}, nil
}

// Create implements sdk.Creator, for Apptainer and hpcng Singularity.
func (d *oci) Create(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	f, err := d.ready(ctx)
	if err != nil {
		return nil, err
	}
	switch {
	case f.has(f.wraps):
		return nil, sdk.Mark(fmt.Errorf("%s's oci create gives every container a terminal of its own: it runs in one command only", f.name), sdk.ErrUnsupported)
	case c.IO.NoPivot || c.IO.NoNewKeyring:
		return nil, unsupported("input or output", "the runtime has no options for the root file system and the keyring")
	}
	spec, init, err := d.examine(c)
	if err != nil {
		return nil, err
	}
	ch := changes{}
	err = ch.carry(spec.Process, c)
	if err == nil && d.bySudo() {
		err = ch.asCaller(spec)
	}
	if err == nil {
		err = ch.write(c, spec.Process)
	}
	if err != nil {
		return nil, err
	}
	first := firstCarried(c)
	hand := []string{spec.Process.Args[0], "--hand-over", fmt.Sprint(first), "--program", programFile(c)}
	if c.IO.ConsoleSocket != "" {
		hand = append(hand, "--console", c.IO.ConsoleSocket)
	}
	args := []string{"create", "--bundle", ownBundle(c), "--log-path", mark(c)}
	if c.IO.PidFile != "" {
		args = append(args, "--pid-file", c.IO.PidFile)
	}
	hand = append(append(hand, "--"), d.argv(first+carried, append(args, c.ID)...)...)
	return &sdk.Command{Path: init, Args: hand, Env: ownEnvironment()}, nil
}

// ready is what every new container needs: a runtime, and the right to use its oci commands.
func (d *oci) ready(ctx context.Context) (*found, error) {
	f, err := look(ctx, d.settings)
	if err == nil {
		err = d.privileged()
	}
	return f, err
}
