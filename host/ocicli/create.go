package ocicli

import (
	"errors"
	"fmt"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/berth-hpc/berth/host/anchor"
	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/sdk"
)

// begin are the options of create and run.
type begin struct {
	bundle string
	files  int
	io     sdk.IO
}

func (b *begin) add(f *pflag.FlagSet, g *globals) {
	f.StringVarP(&b.bundle, "bundle", "b", ".", "`DIRECTORY` of the bundle")
	f.StringVar(&b.io.ConsoleSocket, "console-socket", "", "unix `SOCKET` that takes the terminal's master")
	f.StringVar(&b.io.PidFile, "pid-file", "", "`FILE` that takes the container's pid")
	f.BoolVar(&b.io.NoPivot, "no-pivot", false, "use MS_MOVE and chroot instead of pivot_root")
	f.BoolVar(&b.io.NoNewKeyring, "no-new-keyring", false, "keep the caller's session keyring")
	f.IntVar(&b.files, "preserve-fds", 0, "pass descriptors 3 to `N`+2 on to the container")
	f.BoolVar(&g.ignored.noSubreaper, "no-subreaper", false, "taken and ignored")
}

func (c *call) createCommand() *cobra.Command {
	var b begin
	cmd := &cobra.Command{
		Use:   "create [flags] ID",
		Short: "Create a container that waits for start",
		Args:  cmdline.About("container", "its ID", 1),
		RunE:  func(_ *cobra.Command, args []string) error { return c.begin(b, args[0], true) },
	}
	b.add(cmd.Flags(), &c.globals)
	return cmd
}

func (c *call) runCommand() *cobra.Command {
	var b begin
	cmd := &cobra.Command{
		Use:   "run [flags] ID",
		Short: "Create and start a container",
		Args:  cmdline.About("container", "its ID", 1),
		RunE:  func(_ *cobra.Command, args []string) error { return c.begin(b, args[0], false) },
	}
	b.add(cmd.Flags(), &c.globals)
	cmd.Flags().BoolVarP(&b.io.Detach, "detach", "d", false, "return once the program runs")
	return cmd
}

// begin makes a container in the way that its driver knows: a runtime that creates and starts does it
// all itself; any other one is held by an anchor.
func (c *call) begin(b begin, id string, create bool) error {
	h, err := c.host(b.files)
	if err != nil {
		return err
	}
	r, err := c.request(b, id)
	if err != nil {
		return err
	}
	r.DeletePromised = create || b.io.Detach
	if c.report != nil {
		return c.hold(h.Anchor(r))
	}
	r.AsIs = true
	plan := h.Run
	if create {
		plan = h.Create
	}
	p, err := plan(r)
	if errors.Is(err, dispatch.ErrOnlyRuns) {
		return c.onlyRuns(h, r)
	}
	if err != nil {
		return err
	}
	return execute(p)
}

// onlyRuns makes a container of a driver that only runs: it has an anchor, unless it is to run right here.
func (c *call) onlyRuns(h *dispatch.Host, r dispatch.Request) error {
	if r.DeletePromised {
		return anchor.Start(c.guard, r.Files, anchor.IsMappedRoot())
	}
	r.AsIs, r.IO.Detach = false, true // there is nothing to wait for
	return c.hold(h.Anchor(r))
}

// hold becomes the plan, once the container is started where it has to be.
func (c *call) hold(p *dispatch.Plan, err error) error {
	if err != nil {
		return err
	}
	if c.report != nil {
		if err := c.report.Done(nil); err != nil {
			p.Discard()
			return fmt.Errorf("nobody waits for the container: %w", err)
		}
		c.report = nil
	}
	return p.Hold()
}

// execute becomes the plan, or supervises its container and ends with its status.
func execute(p *dispatch.Plan) error {
	status, err := p.Execute()
	if err != nil {
		return err
	}
	return exitStatus(status)
}

func (c *call) request(b begin, id string) (dispatch.Request, error) {
	r := dispatch.Request{
		ID: id, Bundle: b.bundle, Driver: c.globals.driver, Files: b.files, IO: b.io, Log: c.globals.runtimeLog(), Trusted: true,
	}
	r.IO.CgroupManager = c.globals.manager()
	r.IO.ConsoleSocket, r.IO.PidFile = absolute(b.io.ConsoleSocket), absolute(b.io.PidFile)
	var err error
	if r.Loaded, err = bundle.Load(b.bundle); err != nil {
		return r, err
	}
	if r.Driver == "" {
		r.Driver = dispatch.Variable(r.Loaded.Env(), dispatch.DriverVariable)
	}
	return r, nil
}
