package cli

import (
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/sdk"
)

func (c *call) execCommand() *cobra.Command {
	var r dispatch.ExecRequest
	var env []string
	var processFile string
	cmd := &cobra.Command{
		Use:   "exec [flags] ID -- CMD [ARG…]",
		Short: "Run a further program in a running container",
		Long: `Run a further program in a running container, with the user, environment and limits of
the container's own. The process becomes the program, as with run.`,
		Args: func(cmd *cobra.Command, args []string) error {
			switch before := cmd.ArgsLenAtDash(); {
			case len(args) == 0 || before == 0:
				return fmt.Errorf("which container? give its ID")
			case processFile != "" && len(args) > 1:
				return fmt.Errorf("--process names the command already")
			case processFile == "" && before != 1:
				return sdk.WithAdvice(fmt.Errorf("no command"), `give it behind "--"`)
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error {
			h, err := c.host(r.Files)
			if err != nil {
				return err
			}
			r.ID, r.Args = args[0], args[1:]
			r.IO.PidFile, r.IO.ConsoleSocket = absolute(r.IO.PidFile), absolute(r.IO.ConsoleSocket)
			for _, entry := range env {
				if entry, err = c.variable(entry); err != nil {
					return err
				}
				r.Env = append(r.Env, entry)
			}
			if processFile != "" {
				if r.Process, err = os.ReadFile(processFile); err != nil {
					return sdk.Mark(err, sdk.ErrInvalid)
				}
			}
			p, err := h.Exec(r)
			if err != nil {
				return err
			}
			return execute(p)
		},
	}
	f := cmd.Flags()
	f.StringArrayVar(&env, "env", nil, "set a variable, `NAME=VALUE`, or pass the caller's on, NAME")
	f.StringVar(&r.Workdir, "workdir", "", "working `DIRECTORY` in the container")
	f.BoolVarP(&r.Terminal, "tty", "t", false, "give the program a terminal")
	f.BoolVarP(&r.IO.Detach, "detach", "d", false, "return once the program runs")
	f.StringVar(&r.IO.PidFile, "pid-file", "", "`FILE` that takes the program's pid")
	f.StringVar(&r.IO.ConsoleSocket, "console-socket", "", "unix `SOCKET` that takes the terminal's master")
	f.StringVarP(&processFile, "process", "p", "", "`FILE` with the OCI process object, in place of a command")
	f.IntVar(&r.Files, "preserve-fds", 0, "pass descriptors 3 to `N`+2 on to the program")
	return cmd
}
