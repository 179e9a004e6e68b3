package ociruntime

import (
	"fmt"
	"strconv"

	"github.com/berth-hpc/berth/sdk"
)

// plan returns the command that runs the runtime with the global options and then args. Options
// precede the ID everywhere, as crun wants it.
func (d *Driver) plan(globals, args []string) *sdk.Command {
	argv := append([]string{d.runtime.name}, globals...)
	return &sdk.Command{Path: d.settings.Runtime, Args: append(argv, args...), Env: environment()}
}

// globals are the options before the verb.
func (d *Driver) globals(root string, log sdk.Log) []string {
	args := []string{"--root", root}
	if d.runtime.takesRootless && d.settings.Rootless != "auto" {
		args = append(args, "--rootless="+d.settings.Rootless)
	}
	if d.settings.CgroupManager != "" {
		args = append(args, "--cgroup-manager="+d.settings.CgroupManager)
	}
	if log.Path == "" && d.settings.DebugLog != "" {
		log.Path, log.Debug = d.settings.DebugLog, true
	}
	if log.Debug {
		args = append(args, "--debug")
	}
	if log.Path != "" {
		args = append(args, "--log", d.runtime.logPrefix+log.Path)
	}
	if log.Format != "" {
		args = append(args, "--log-format", log.Format)
	}
	return args
}

// beginGlobals are the options before run and create.
func (d *Driver) beginGlobals(verb, root string, c *sdk.Container) ([]string, error) {
	manager, err := d.cgroupManager(c.IO.CgroupManager)
	return append(d.globals(d.beginRoot(verb, root, c), c.Log), manager...), err
}

// cgroupManager are the options before the verb by which a container's creator chooses who makes its
// control group. sdk.ErrUnsupported: the runtime does not leave the choice.
func (d *Driver) cgroupManager(asked string) ([]string, error) {
	switch {
	case asked == "":
		return nil, nil
	case d.runtime.takesCgroupManager:
		return []string{"--cgroup-manager=" + asked}, nil
	case asked == "systemd":
		return []string{"--systemd-cgroup"}, nil
	case asked == "cgroupfs": // what it does anyway
		return nil, nil
	}
	return nil, sdk.Mark(fmt.Errorf("%s has no cgroup manager %q", d.runtime.name, asked), sdk.ErrUnsupported)
}

// beginArgs are the arguments of run and create.
func (d *Driver) beginArgs(verb string, c *sdk.Container) []string {
	args := append([]string{verb, "--bundle", c.Bundle}, streamArgs(c.IO, c.Files)...)
	if c.IO.NoPivot || d.settings.NoPivot {
		args = append(args, "--no-pivot")
	}
	if c.IO.NoNewKeyring {
		args = append(args, "--no-new-keyring")
	}
	if c.IO.Detach && verb == "run" { // create always detaches
		args = append(args, "--detach")
	}
	return append(args, c.ID)
}

// execArgs are the arguments of exec; file holds the process.
func execArgs(id, file string, p *sdk.Process) []string {
	args := append([]string{"exec", "--process", file}, streamArgs(p.IO, p.Files)...)
	if p.IO.Detach {
		args = append(args, "--detach")
	}
	return append(args, id)
}

// streamArgs are the options that run, create and exec share.
func streamArgs(io sdk.IO, files int) []string {
	var args []string
	if io.PidFile != "" {
		args = append(args, "--pid-file", io.PidFile)
	}
	if io.ConsoleSocket != "" {
		args = append(args, "--console-socket", io.ConsoleSocket)
	}
	if files > 0 {
		args = append(args, "--preserve-fds", strconv.Itoa(files))
	}
	return args
}
