package cli

import (
	"syscall"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/cmdline"
)

func (c *call) killCommand() *cobra.Command {
	var all bool
	cmd := &cobra.Command{
		Use:   "kill ID [SIGNAL]",
		Short: "Send a signal to a container, TERM unless told otherwise",
		Args:  cmdline.About("container", "its ID", 2),
		RunE: func(_ *cobra.Command, args []string) error {
			sig := syscall.SIGTERM
			if len(args) == 2 {
				var err error
				if sig, err = cmdline.ParseSignal(args[1]); err != nil {
					return err
				}
			}
			h, err := c.host(0)
			if err != nil {
				return err
			}
			return h.Kill(args[0], sig, all)
		},
	}
	cmd.Flags().BoolVarP(&all, "all", "a", false, "send it to every process in the container")
	return cmd
}
