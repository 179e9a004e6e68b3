// Command flawed is a driver without a container: its command is the program itself, run on the
// node. It is right in many things and, on demand, wrong in one, by which the kit's own tests see
// that the kit notices.
package main

import (
	"context"
	"errors"
	"fmt"
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
	if field := d.refuses(spec); field != "" {
		return nil, sdk.Mark(fmt.Errorf("%s: it cannot do that", field), sdk.ErrUnsupported)
	}
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

// refuses names a field that the driver cannot apply, where it is to be honest about what it shares with
// the node ("shares"), about capabilities ("capabilities"), or about everything ("all").
func (d *driver) refuses(spec *specs.Spec) string {
	own := func(n specs.LinuxNamespace) bool {
		return n.Type != specs.MountNamespace && n.Type != specs.UserNamespace
	}
	mine := func(m specs.Mount) bool {
		return m.Type == "devpts" || m.Destination == "/dev/shm" && m.Type == "tmpfs"
	}
	shares := d.Flaw == "shares"
	switch at := slices.IndexFunc(spec.Mounts, mine); {
	case d.Flaw == "all":
		return "process.args"
	case shares && slices.ContainsFunc(spec.Linux.Namespaces, own):
		return "linux.namespaces"
	case shares && spec.Hostname != "":
		return "hostname"
	case shares && at >= 0:
		return fmt.Sprintf("mounts[%d]", at)
	case (shares || d.Flaw == "capabilities") && spec.Process.Capabilities != nil:
		return "process.capabilities"
	}
	return ""
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
