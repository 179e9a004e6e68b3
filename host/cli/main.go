// Package cli is the command line "berth …", a file for each subcommand.
package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"github.com/spf13/cobra"
	"golang.org/x/sys/unix"

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
	err := c.notPrivileged()
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
	report(os.Stderr, err)
	if c.guard != nil {
		if sig := c.guard.Interrupted(); sig != 0 {
			c.guard.DieOf(sig)
		}
	}
	return statusRefused
}

// report writes err as one line, and its advice as another.
func report(w io.Writer, err error) {
	fmt.Fprintf(w, "berth: %s\n", oneLine(err.Error()))
	if advice := sdk.Advice(err); advice != "" {
		fmt.Fprintf(w, "berth: hint: %s\n", oneLine(advice))
	}
}

// oneLine escapes what would break a line or a terminal.
func oneLine(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r == '\n':
			b.WriteString("; ")
		case strconv.IsPrint(r):
			b.WriteRune(r)
		default:
			b.WriteString(strings.Trim(strconv.QuoteRuneToASCII(r), "'"))
		}
	}
	return b.String()
}

// atSecure is the entry of the auxiliary vector by which the kernel says that a program has more
// rights than its caller (getauxval(3), AT_SECURE).
const atSecure = 23

// notPrivileged refuses to run with more rights than the caller has: berth is no setuid program.
func (c *call) notPrivileged() error {
	entries, err := unix.Auxv()
	if err != nil {
		return fmt.Errorf("reading the auxiliary vector: %w", err)
	}
	for _, e := range entries {
		if e[0] == atSecure && e[1] != 0 {
			err := errors.New("refusing to run with the setuid or setgid bit or file capabilities")
			return sdk.WithAdvice(err, "chmod u-s,g-s and setcap -r the berth program")
		}
	}
	return nil
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
	root := group(&cobra.Command{
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
