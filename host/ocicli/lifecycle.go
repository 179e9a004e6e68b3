package ocicli

import (
	"cmp"
	"errors"
	"fmt"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/anchor"
	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/sdk"
)

// one makes a command about one container.
func (c *call) one(use, short string, most int, do func(h *dispatch.Host, args []string) error) *cobra.Command {
	return &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cmdline.About("container", "its ID", most),
		RunE: func(_ *cobra.Command, args []string) error {
			h, err := c.host(0)
			if err != nil {
				return err
			}
			return do(h, args)
		},
	}
}

// owned is a command about one container that is its owner's to give, where that is no root: an anchor's
// driver was asked by the user outside, and so it is from then on.
func (c *call) owned(use, short string, most int, do func(h *dispatch.Host, args []string) error) *cobra.Command {
	return c.one(use, short, most, func(h *dispatch.Host, args []string) error {
		if !anchor.IsMappedRoot() || !h.Anchored(args[0]) {
			return do(h, args)
		}
		status, err := anchor.Repeat(c.guard)
		return cmp.Or(err, error(exitStatus(status)))
	})
}

func (c *call) startCommand() *cobra.Command {
	return c.one("start ID", "Run the program of a created container", 1, func(h *dispatch.Host, args []string) error {
		return h.Start(args[0])
	})
}

func (c *call) pauseCommand() *cobra.Command {
	return c.one("pause ID", "Stop all processes of a container for a while", 1, func(h *dispatch.Host, args []string) error {
		return h.Pause(args[0])
	})
}

func (c *call) resumeCommand() *cobra.Command {
	return c.one("resume ID", "Let a paused container go on", 1, func(h *dispatch.Host, args []string) error {
		return h.Resume(args[0])
	})
}

func (c *call) stateCommand() *cobra.Command {
	return c.owned("state ID", "Print the state of a container as JSON", 1, func(h *dispatch.Host, args []string) error {
		state, err := h.State(args[0])
		if err != nil {
			return err
		}
		return cmdline.PrintJSON(state)
	})
}

func (c *call) killCommand() *cobra.Command {
	var all bool
	cmd := c.owned("kill ID [SIGNAL]", "Send a signal to a container, TERM unless told otherwise", 2, func(h *dispatch.Host, args []string) error {
		sig := syscall.SIGTERM
		if len(args) == 2 {
			var err error
			if sig, err = cmdline.ParseSignal(args[1]); args[1] == "0" {
				return runs(h, args[0], all)
			} else if err != nil {
				return err
			}
		}
		err := h.Kill(args[0], sig, all)
		return notRunning(err, all)
	})
	cmd.Flags().BoolVarP(&all, "all", "a", false, "send it to every process in the container")
	return cmd
}

// notRunning adds the words by which callers know that there is nothing left to kill. Callers of --all
// only want to be sure of that.
func notRunning(err error, all bool) error {
	switch {
	case !errors.Is(err, sdk.ErrState):
		return err
	case all:
		return nil
	}
	return fmt.Errorf("%w: container not running", err)
}

// runs is the signal 0, which is none: it asks whether there is somebody to send one to, kill(2).
func runs(h *dispatch.Host, id string, all bool) error {
	state, err := h.State(id)
	if err == nil && state.Status == specs.StateStopped {
		err = sdk.Mark(fmt.Errorf("container %q is stopped", id), sdk.ErrState)
	}
	return notRunning(err, all)
}

func (c *call) deleteCommand() *cobra.Command {
	var force bool
	cmd := c.owned("delete ID", "Remove a container that has stopped", 1, func(h *dispatch.Host, args []string) error {
		return h.Delete(args[0], force)
	})
	cmd.Flags().BoolVarP(&force, "force", "f", false, "end it first if it runs; an unknown ID is no error")
	return cmd
}
