package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/host/dispatch"
)

// one makes a command about one container.
func (c *call) one(use, short string, do func(h *dispatch.Host, id string) error) *cobra.Command {
	return &cobra.Command{
		Use:   use + " ID",
		Short: short,
		Args:  cmdline.About("container", "its ID", 1),
		RunE: func(_ *cobra.Command, args []string) error {
			h, err := c.host(0)
			if err != nil {
				return err
			}
			return do(h, args[0])
		},
	}
}

func (c *call) startCommand() *cobra.Command {
	return c.one("start", "Run the program of a created container", (*dispatch.Host).Start)
}

func (c *call) pauseCommand() *cobra.Command {
	return c.one("pause", "Stop all processes of a container for a while", (*dispatch.Host).Pause)
}

func (c *call) resumeCommand() *cobra.Command {
	return c.one("resume", "Let a paused container go on", (*dispatch.Host).Resume)
}

func (c *call) stateCommand() *cobra.Command {
	return c.one("state", "Print the state of a container as JSON", func(h *dispatch.Host, id string) error {
		state, err := h.State(id)
		if err != nil {
			return err
		}
		return cmdline.PrintJSON(state)
	})
}

func (c *call) deleteCommand() *cobra.Command {
	var force bool
	cmd := c.one("delete", "Remove a container that has stopped", func(h *dispatch.Host, id string) error {
		return h.Delete(id, force)
	})
	cmd.Flags().BoolVarP(&force, "force", "f", false, "end it first if it runs; an unknown ID is no error")
	return cmd
}

func (c *call) waitCommand() *cobra.Command {
	cmd := c.one("wait", "Wait until a container has ended", func(h *dispatch.Host, id string) error {
		status, err := h.Wait(id)
		if err != nil {
			return err
		}
		fmt.Println(status)
		return nil
	})
	cmd.Long = `Wait until a container has ended and print its exit status.

The status is known only where something of berth stayed to see it: run the container
with --init for that. Otherwise only the process that became the container has it, and
"unknown" is printed.`
	return cmd
}

func (c *call) gcCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "gc",
		Short: "Remove what is left of dead containers",
		Long: `Remove what is left of this user's containers that have ended without anybody
removing them, such as after a SIGKILL. Prints the ID of each that is removed.`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := c.host(0)
			if err != nil {
				return err
			}
			removed, err := h.Collect()
			for _, id := range removed {
				fmt.Println(id)
			}
			return err
		},
	}
}
