// Command flawed is a driver without a container: its command is the program itself, run on the
// node. It is right in many things and, on demand, wrong in one, by which the kit's own tests see
// that the kit notices.
package main

import (
	"context"
	"errors"
	"os/exec"
	"path/filepath"
	"slices"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/plugin"
)

type driver struct {
	Flaw string `json:"flaw" doc:"what to do wrong; empty: nothing"`
}

func main() { plugin.Serve(&driver{}) }

// Settings implements sdk.Configurer.
func (d *driver) Settings() any { return d }

// Run implements sdk.Driver.
func (d *driver) Run(_ context.Context, c *sdk.Container) (*sdk.Command, error) {
	if d.Flaw == "kind" {
		return nil, errors.New("some error")
	}
	spec, err := c.Spec()
	if err != nil {
		return nil, err
	}
	init := filepath.Join(spec.Root.Path, "bin", filepath.Base(spec.Process.Args[2]))
	cmd := &sdk.Command{Path: init, Args: spec.Process.Args[2:], Env: spec.Process.Env, Dir: filepath.Join(spec.Root.Path, spec.Process.Cwd)}
	switch d.Flaw {
	case "argument":
		cmd.Args = slices.DeleteFunc(cmd.Args, func(arg string) bool { return arg == "" })
	case "variable":
		cmd.Env = append(cmd.Env, "PLUGIN_LEAK=1")
	case "status":
		cmd.Args = []string{cmd.Args[0], "exit", "1"}
	case "file":
		return cmd, exec.Command("touch", filepath.Join(c.Root, "left")).Run()
	case "stray":
		stray := exec.Command("sleep", "60")
		stray.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
		return cmd, stray.Start()
	}
	return cmd, nil
}

// State implements sdk.Lifecycle, and claims what it cannot do.
func (d *driver) State(context.Context, *sdk.Container) (*specs.State, error) {
	return nil, sdk.ErrUnsupported
}

// Kill implements sdk.Lifecycle.
func (d *driver) Kill(context.Context, *sdk.Container, syscall.Signal, bool) error {
	return sdk.ErrUnsupported
}

// Delete implements sdk.Lifecycle.
func (d *driver) Delete(context.Context, *sdk.Container, bool) error { return nil }
