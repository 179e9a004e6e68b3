package test

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/exec"
	"strings"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/plugin"
)

// serveDriver is the main of the drivers that tests misuse. A driver "plain…" lacks everything
// optional.
func serveDriver(name string) {
	d := &driver{settings: &driverSettings{Command: []string{"/bin/true"}}}
	if strings.HasPrefix(name, "berth-driver-plain") {
		plugin.Serve(&plainDriver{d})
	}
	if strings.HasPrefix(name, "berth-driver-prepare") {
		plugin.Serve(&preparer{settings: &preparerSettings{}})
	}
	if strings.HasPrefix(name, "berth-driver-create") {
		plugin.Serve(&creator{settings: &creatorSettings{}})
	}
	plugin.Serve(d)
}

// driverSettings say what a driver of these tests does.
type driverSettings struct {
	At      string   `json:"at" doc:"the method that misbehaves"`
	Fault   string   `json:"fault" doc:"how it misbehaves"`
	Command []string `json:"command" doc:"what Run answers"`
	Dump    string   `json:"dump" doc:"file that takes the driver's environment and descriptors"`
}

// plainDriver runs programs of the node as they are. It has Run and settings alone.
type plainDriver struct{ d *driver }

// Settings implements sdk.Configurer.
func (p *plainDriver) Settings() any { return p.d.Settings() }

// Run implements sdk.Driver.
func (p *plainDriver) Run(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	return p.d.Run(ctx, c)
}

// driver implements every method, each with a fault on demand.
type driver struct{ settings *driverSettings }

// Settings implements sdk.Configurer.
func (d *driver) Settings() any { return d.settings }

// Run implements sdk.Driver.
func (d *driver) Run(context.Context, *sdk.Container) (*sdk.Command, error) {
	if err := d.fault("run"); err != nil {
		return nil, err
	}
	if d.settings.Dump != "" {
		if err := dump(d.settings.Dump); err != nil {
			return nil, err
		}
	}
	c := d.settings.Command
	switch d.lie("run") {
	case "relative":
		return &sdk.Command{Path: "true", Args: []string{"true"}}, nil
	case "no-arguments":
		return &sdk.Command{Path: "/bin/true"}, nil
	case "NUL":
		return &sdk.Command{Path: "/bin/true", Args: []string{"a\x00b"}}, nil
	case "missing-program":
		return &sdk.Command{Path: "/no/such/runtime", Args: []string{"runtime"}}, nil
	case "huge":
		return &sdk.Command{Path: "/bin/true", Args: []string{strings.Repeat("x", 32<<20)}}, nil
	}
	return &sdk.Command{Path: c[0], Args: c, Env: []string{"PATH=/usr/bin:/bin"}}, nil
}

// Create implements sdk.Creator.
func (d *driver) Create(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	if err := d.fault("create"); err != nil {
		return nil, err
	}
	return &sdk.Command{Path: "/bin/true", Args: []string{"true"}}, nil
}

// Start implements sdk.Creator.
func (d *driver) Start(context.Context, *sdk.Container) error { return d.fault("start") }

// State implements sdk.Lifecycle.
func (d *driver) State(_ context.Context, c *sdk.Container) (*specs.State, error) {
	if err := d.fault("state"); err != nil {
		return nil, err
	}
	s := &specs.State{Version: "1.0.2", ID: c.ID, Status: specs.StateRunning, Pid: c.Pid, Bundle: c.Bundle}
	switch d.lie("state") {
	case "pid-1":
		s.Pid = 1
	case "negative-pid":
		s.Pid = -1
	case "unknown-status":
		s.Status = "\x1b[31mexcellent"
	case "other-id":
		s.ID = "somebody-else"
	}
	return s, nil
}

// Kill implements sdk.Lifecycle.
func (d *driver) Kill(_ context.Context, c *sdk.Container, sig syscall.Signal, _ bool) error {
	if err := d.fault("kill"); err != nil {
		return err
	}
	return sdk.ErrNotFound // so that the host does it
}

// Delete implements sdk.Lifecycle.
func (d *driver) Delete(context.Context, *sdk.Container, bool) error {
	if err := d.fault("delete"); err != nil {
		return err
	}
	return sdk.ErrNotFound
}

// Exec implements sdk.Execer.
func (d *driver) Exec(context.Context, *sdk.Container, *sdk.Process) (*sdk.Command, error) {
	return nil, d.fault("exec")
}

// Pause implements sdk.Pauser.
func (d *driver) Pause(context.Context, *sdk.Container) error { return d.fault("pause") }

// Resume implements sdk.Pauser.
func (d *driver) Resume(context.Context, *sdk.Container) error { return d.fault("resume") }

// Check implements sdk.Checker.
func (d *driver) Check(context.Context) (*sdk.Runtime, error) {
	return &sdk.Runtime{Name: "node", Path: "/bin/true", Version: "1"}, d.fault("check")
}

func (d *driver) lie(method string) string {
	if d.settings.At == method {
		return d.settings.Fault
	}
	return ""
}

// fault misbehaves where the settings ask for it.
func (d *driver) fault(method string) error {
	if d.settings.At != method {
		return nil
	}
	self := os.Getpid()
	switch d.settings.Fault {
	case "exit":
		os.Exit(3)
	case "panic":
		panic("a fault of the driver's")
	case "segv":
		_ = syscall.Kill(self, syscall.SIGSEGV)
		select {}
	case "kill":
		_ = syscall.Kill(self, syscall.SIGKILL)
		select {}
	case "stop":
		_ = syscall.Kill(self, syscall.SIGSTOP)
		select {}
	case "hang":
		select {}
	case "error":
		return fmt.Errorf("it has\nfailed \x1b[31min red\x1b[0m: %s", strings.Repeat("x", 100_000))
	case "flood":
		for range 200_000 {
			fmt.Fprintln(os.Stderr, "\x1b[31ma line in red\x1b[0m")
		}
		slog.Error("and one in order")
	case "children":
		return leaveChildren()
	case "stdout":
		fmt.Println("noise on stdout")
		_, _ = syscall.Write(1, []byte("more of it\n"))
	}
	return nil
}

// leaveChildren leaves a child that holds the log and has left the process group, and one in it.
func leaveChildren() error {
	for _, away := range []bool{true, false} {
		cmd := exec.Command("/bin/sleep", "100000")
		cmd.Stderr = os.Stderr
		cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: away}
		if err := cmd.Start(); err != nil {
			return err
		}
	}
	return nil
}

// dump writes down what this driver was given.
func dump(file string) error {
	var b strings.Builder
	for _, entry := range os.Environ() {
		fmt.Fprintln(&b, "env", entry)
	}
	names, err := os.ReadDir("/proc/self/fd")
	if err != nil {
		return err
	}
	for _, n := range names {
		target, _ := os.Readlink("/proc/self/fd/" + n.Name())
		fmt.Fprintln(&b, "fd", n.Name(), target)
	}
	status, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return err
	}
	b.Write(status)
	return os.WriteFile(file, []byte(b.String()), 0o600)
}
