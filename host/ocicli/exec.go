package ocicli

import (
	"errors"
	"math"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/anchor"
	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/host/dispatch"
)

func (c *call) execCommand() *cobra.Command {
	var r dispatch.ExecRequest
	var o execOptions
	cmd := &cobra.Command{
		Use:   "exec [flags] ID [COMMAND [ARG…]]",
		Short: "Run a further program in a running container",
		Args:  cmdline.About("container", "its ID", math.MaxInt),
		RunE: func(_ *cobra.Command, args []string) error {
			c.inExec = true
			h, err := c.host(r.Files)
			if err != nil {
				return err
			}
			r.ID, r.Args, r.Anchor = args[0], args[1:], c.report != nil
			r.IO.PidFile, r.IO.ConsoleSocket = absolute(r.IO.PidFile), absolute(r.IO.ConsoleSocket)
			if err := o.complete(&r); err != nil {
				return err
			}
			p, err := h.Exec(r)
			switch {
			case errors.Is(err, dispatch.ErrOnlyRuns):
				return anchor.Start(c.guard, r.Files, false)
			case err != nil:
				return err
			case r.Anchor:
				return c.hold(p, nil)
			}
			return execute(p)
		},
	}
	f := cmd.Flags()
	f.SetInterspersed(false) // what follows the ID is the command's own
	f.StringVar(&r.IO.ConsoleSocket, "console-socket", "", "unix `SOCKET` that takes the terminal's master")
	f.StringVar(&r.IO.PidFile, "pid-file", "", "`FILE` that takes the program's pid")
	f.BoolVarP(&r.IO.Detach, "detach", "d", false, "return once the program runs")
	f.IntVar(&r.Files, "preserve-fds", 0, "pass descriptors 3 to `N`+2 on to the program")
	f.StringArrayVarP(&r.Env, "env", "e", nil, "set a variable, `NAME=VALUE`")
	f.StringVar(&r.Workdir, "cwd", "", "working `DIRECTORY` in the container")
	f.BoolVarP(&r.Terminal, "tty", "t", false, "give the program a terminal")
	o.add(f, &r.FurtherProcess)
	return cmd
}
