// Package ocicli is the command line "berth-oci …", an OCI runtime for podman, docker and everybody else
// who calls runc or crun: the same subcommands and options, for any driver.
//
// What runc and crun have in common is the contract, as podman 4 and docker 20 use it; options that only
// choose how these two work, such as --rootless, are taken and mean nothing here.
package ocicli

import (
	"errors"
	"fmt"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/anchor"
	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/host/handoff"
	"github.com/berth-hpc/berth/sdk"
)

// Name is the name of the program. Called Name-DRIVER it uses that driver, for callers that cannot give
// their runtime an option.
const Name = "berth-oci"

// Called says whether a program of that name, os.Args[0], is this command line.
func Called(name string) bool {
	base := filepath.Base(name)
	return base == Name || strings.HasPrefix(base, Name+"-")
}

// The exit status of a failure of berth's own, and of one in exec, as they are of runc and crun.
const (
	statusFailed     = 1
	statusExecFailed = 255
)

// Main runs the command line args, args[0] included, and returns the exit status. create, run and exec
// do not return where they succeed: the process becomes the runtime or, for drivers that only run, ends
// once an anchor has taken over.
func Main(args, env []string) int {
	c := &call{env: env, report: anchor.Reporting()}
	_, c.globals.driver, _ = strings.Cut(filepath.Base(args[0]), Name+"-")
	err := handoff.NotPrivileged()
	if err == nil {
		root := c.rootCommand()
		root.SetArgs(args[1:])
		err = root.Execute()
	}
	if c.guard != nil {
		c.guard.Release()
	}
	return c.status(err)
}

// call is one call of the command line.
type call struct {
	env     []string
	globals globals
	guard   *handoff.Guard
	inExec  bool
	report  *anchor.Report // of this process, where it is an anchor that has not reported yet
}

// exitStatus is an error that only sets the exit status.
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
	if c.report != nil {
		_ = c.report.Done(err) // else nobody is left to hear it
		return statusFailed
	}
	c.globals.fail(err)
	if c.guard != nil {
		if sig := c.guard.Interrupted(); sig != 0 {
			c.guard.DieOf(sig)
		}
	}
	if c.inExec {
		return statusExecFailed
	}
	return statusFailed
}

// host takes hold of the process and reads the configuration. files is the number of descriptors from 3
// on that belong to the container.
func (c *call) host(files int) (*dispatch.Host, error) {
	if files < 0 {
		return nil, sdk.Mark(errors.New("--preserve-fds is negative"), sdk.ErrInvalid)
	}
	err := c.globals.validate()
	if err != nil {
		return nil, err
	}
	if c.guard, err = handoff.Begin(files); err != nil {
		return nil, err
	}
	h, err := dispatch.New(c.env, c.guard, c.globals.debug)
	if err != nil {
		return nil, err
	}
	h.RecordsInSystemOnly, h.RecordsIn, h.GoneWithRuntime = true, c.globals.root, true
	return h, nil
}

func (c *call) rootCommand() *cobra.Command {
	root := cmdline.Group(&cobra.Command{
		Use:   Name,
		Short: "An OCI runtime for podman and docker that runs containers with any driver of berth",
		Long: `berth-oci takes the place of runc or crun: it has their subcommands and options, and
runs containers with the driver that the site's berth.toml, --driver, the annotation
org.berth.driver or its own name chooses. As berth-oci-NAME it uses the driver NAME.`,
		SilenceErrors: true,
		SilenceUsage:  true,
	})
	version := root.Flags().BoolP("version", "v", false, "print the version, and that of the specification")
	help := root.RunE
	root.RunE = func(cmd *cobra.Command, args []string) error {
		if *version {
			fmt.Printf("%s version %s\nspec: %s\n", Name, cmdline.CurrentVersion().Version, specVersion)
			return nil
		}
		return help(cmd, args)
	}
	root.CompletionOptions.HiddenDefaultCmd = true
	c.globals.add(root.PersistentFlags())
	root.AddCommand(
		c.createCommand(), c.startCommand(), c.stateCommand(), c.killCommand(), c.deleteCommand(), c.runCommand(), c.execCommand(),
		c.psCommand(), c.listCommand(), c.pauseCommand(), c.resumeCommand(), c.updateCommand(), c.eventsCommand(),
		c.featuresCommand(), c.specCommand(),
	)
	return root
}

// absolute is a path that stays the same wherever the process goes; "" stays "".
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}
