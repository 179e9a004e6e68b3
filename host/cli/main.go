// Package cli is the command line "berth …", a file for each subcommand.
package cli

import (
	"errors"
	"fmt"
	"os"
	"strconv"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/host/handoff"
	"github.com/berth-hpc/berth/host/progress"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/drivertest"
)

// statusRefused is the exit status of berth wherever berth itself or a driver fails, as opposed to
// the program in a container.
const statusRefused = 125

// Main runs the command line args, args[0] included, and returns the exit status. run, create and
// exec do not return where they succeed: the process becomes the runtime.
func Main(args, env []string) int {
	if handled, status := drivertest.Main(args); handled {
		return status
	}
	c := &call{env: env}
	err := handoff.NotPrivileged()
	if err == nil {
		root := c.rootCommand()
		root.SetArgs(args[1:])
		err = root.Execute()
	}
	c.end()
	return c.status(err)
}

// call is one call of the command line.
type call struct {
	env   []string
	debug bool
	guard *handoff.Guard
}

// exitStatus is an error that has been reported and only sets the exit status.
type exitStatus int

func (e exitStatus) Error() string { return "exit status " + strconv.Itoa(int(e)) }

func (c *call) status(err error) int {
	var status exitStatus
	switch {
	case err == nil:
		return 0
	case errors.As(err, &status):
		return int(status)
	}
	cmdline.Report("berth", err)
	if c.guard != nil {
		if sig := c.guard.Interrupted(); sig != 0 {
			c.guard.DieOf(sig)
		}
	}
	return statusRefused
}

// host takes hold of the process and reads the configuration. files is the number of descriptors
// from 3 on that belong to the job.
func (c *call) host(files int) (*dispatch.Host, error) {
	if files < 0 {
		return nil, sdk.Mark(fmt.Errorf("--preserve-fds %d is negative", files), sdk.ErrInvalid)
	}
	guard, err := handoff.Begin(files)
	if err != nil {
		return nil, err
	}
	c.guard = guard
	h, err := dispatch.New(c.env, guard, c.debug)
	if err == nil {
		h.Progress = func() (func(sdk.Progress), func()) { return progress.Start(os.Stderr) }
	}
	return h, err
}

func (c *call) end() {
	if c.guard != nil {
		c.guard.Release()
	}
}

func (c *call) rootCommand() *cobra.Command {
	root := cmdline.Group(&cobra.Command{
		Use:   "berth",
		Short: "Run containers on HPC nodes with the runtime that the site chose",
		Long: `berth runs OCI bundles through drivers, one for each container runtime.

The process that you start becomes the container: its exit status is the program's,
signals reach it, and nothing of berth stays behind. Status 125 means that berth or
its driver refused or failed before anything was started.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	})
	root.CompletionOptions.HiddenDefaultCmd = true
	root.PersistentFlags().BoolVar(&c.debug, "debug", false, "say what berth and its drivers do, on stderr")
	root.AddGroup(
		&cobra.Group{ID: "containers", Title: "Containers:"},
		&cobra.Group{ID: "site", Title: "The node and its drivers:"},
	)
	for _, cmd := range []*cobra.Command{
		c.runCommand(), c.createCommand(), c.startCommand(), c.execCommand(), c.stateCommand(), c.killCommand(),
		c.pauseCommand(), c.resumeCommand(), c.deleteCommand(), c.psCommand(), c.waitCommand(), c.gcCommand(),
	} {
		cmd.GroupID = "containers"
		root.AddCommand(cmd)
	}
	for _, cmd := range []*cobra.Command{c.driverCommand(), c.configCommand(), c.doctorCommand(), c.slurmCommand(), c.versionCommand()} {
		cmd.GroupID = "site"
		root.AddCommand(cmd)
	}
	return root
}
