package cli

import (
	"errors"
	"fmt"
	"os"
	"syscall"
	"time"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/host/slurm"
	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/sdk"
)

func (c *call) slurmCommand() *cobra.Command {
	cmd := cmdline.Group(&cobra.Command{Use: "slurm", Short: "Serve as the container runtime of Slurm"})
	cmd.AddCommand(c.slurmConfCommand(), c.slurmRunCommand(), c.slurmExplainCommand(), &cobra.Command{
		Use:   "guard",
		Short: "Refuse a task whose container this node would not run, prepare one that it would: for TaskProlog",
		Args:  cobra.NoArgs,
		RunE:  func(*cobra.Command, []string) error { return slurm.Guard(c.env) },
	})
	query := c.slurmCallback("query", "Print the state of a step's containers on this node", func(h *dispatch.Host, t slurm.Task) error {
		state, err := slurm.Query(h, t)
		if err != nil {
			return err
		}
		return cmdline.PrintJSON(state)
	})
	kill := c.slurmCallback("kill", "End a step's containers on this node", slurm.Kill)
	remove := c.slurmCallback("delete", "Remove a step's containers on this node", slurm.Delete)
	cmd.AddCommand(query, kill, remove)
	return cmd
}

// taskFlags are how oci.conf names a task.
func taskFlags(cmd *cobra.Command, t *slurm.Task, uid *int) {
	f := cmd.Flags()
	f.StringVar(&t.Job, "job", "", "job ID, %j")
	f.StringVar(&t.Step, "step", "", "step ID, %s")
	f.IntVar(&t.Task, "task", slurm.All, "number of the task on this node, %t; -1 for all of the step")
	f.StringVar(&t.Node, "node", "", "name of the node, %n")
	f.IntVar(uid, "uid", -1, "the job's user, %U; -1 where Slurm does not tell")
}

func (c *call) slurmRunCommand() *cobra.Command {
	var l slurm.Launch
	var uid int
	cmd := &cobra.Command{
		Use:   "run [flags] [-- CMD ARG…]",
		Short: "Become a task's container: what RunTimeRun calls",
		RunE: func(_ *cobra.Command, args []string) error {
			if uid >= 0 && uid != os.Geteuid() {
				return sdk.Mark(fmt.Errorf("called as uid %d for a job of uid %d", os.Geteuid(), uid), sdk.ErrInvalid)
			}
			l.Args = args
			h, err := c.slurmHost()
			if err != nil {
				return err
			}
			p, err := slurm.Run(h, l)
			if err != nil {
				return err
			}
			return execute(p)
		},
	}
	taskFlags(cmd, &l.Task, &uid)
	cmd.Flags().StringVar(&l.Bundle, "bundle", "", "Slurm's copy of the bundle, %b")
	cmd.Flags().StringVar(&l.EnvFile, "env-file", "", "the job's environment, %e, in the place of a bundle")
	cmd.Flags().StringVar(&l.Signals, "signals", "", "what berth-init does with a signal: direct or forward")
	return cmd
}

// slurmHost is a host whose containers the root calls will find: their environment is another.
func (c *call) slurmHost() (*dispatch.Host, error) {
	h, err := c.host(0)
	if err != nil {
		return nil, err
	}
	h.RecordsInSystemOnly = true
	return h, nil
}

// slurmCallback makes a command that Slurm runs as root. It becomes the job's user before it looks at
// anything of his, and never keeps Slurm waiting for long.
func (c *call) slurmCallback(use, short string, do func(*dispatch.Host, slurm.Task) error) *cobra.Command {
	var t slurm.Task
	var uid int
	cmd := &cobra.Command{
		Use:   use,
		Short: short,
		Args:  cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			// Nothing that hangs, not even a file system, may hang the step.
			time.AfterFunc(slurm.CallbackLimit+slurm.CallbackGrace, func() {
				fmt.Fprintf(os.Stderr, "berth: slurm %s: not done within %v\n", use, slurm.CallbackLimit)
				os.Exit(statusRefused)
			})
			return c.asOwner(use, t, uid, do)
		},
	}
	taskFlags(cmd, &t, &uid)
	return cmd
}

// asOwner does the callback as the user whose job it is. Where Slurm does not tell whose, each owner of
// such containers gets a process of his own.
func (c *call) asOwner(use string, t slurm.Task, uid int, do func(*dispatch.Host, slurm.Task) error) error {
	if os.Geteuid() != 0 {
		return c.callback(t, do)
	}
	if uid < 0 {
		return c.forEachOwner(use, t)
	}
	owner, err := slurm.OwnerOf(state.DefaultSystem, uid)
	if errors.Is(err, sdk.ErrNotFound) {
		return nothingLeft(use, t)
	}
	if err != nil {
		return err
	}
	if err := slurm.Become(owner.UID, owner.GID); err != nil {
		return err
	}
	return c.callback(t, do)
}

func (c *call) callback(t slurm.Task, do func(*dispatch.Host, slurm.Task) error) error {
	c.env = nil // slurmd's environment says nothing about the user
	h, err := c.slurmHost()
	if err != nil {
		return err
	}
	h.Guard.EndAfter(slurm.CallbackLimit)
	return do(h, t)
}

// nothingLeft answers for a step of which this node has no container.
func nothingLeft(use string, t slurm.Task) error {
	if use != "query" {
		return nil
	}
	return cmdline.PrintJSON(slurm.Stopped(t))
}

// forEachOwner calls berth again as each owner of the step's containers.
func (c *call) forEachOwner(use string, t slurm.Task) error {
	owners, err := t.Owners(state.DefaultSystem)
	if err != nil {
		return err
	}
	if len(owners) == 0 {
		return nothingLeft(use, t)
	}
	var failed []error
	for i, owner := range owners {
		out := os.Stdout
		if i > 0 {
			out = nil // one document is all that Slurm reads
		}
		failed = append(failed, c.asUser(owner, out, "slurm", use, "--job", t.Job, "--step", t.Step,
			"--task", fmt.Sprint(t.Task), "--node", t.Node))
	}
	return errors.Join(failed...)
}

// asUser runs this program as a user, with nothing of root's.
func (c *call) asUser(owner slurm.Owner, out *os.File, args ...string) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDWR, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	if out == nil {
		out = null
	}
	p, err := os.StartProcess("/proc/self/exe", append([]string{os.Args[0]}, args...), &os.ProcAttr{
		Dir: "/", Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}, Files: []*os.File{null, out, os.Stderr},
		Sys: &syscall.SysProcAttr{
			Credential: &syscall.Credential{Uid: uint32(owner.UID), Gid: uint32(owner.GID)},
			Setpgid:    true, Pdeathsig: syscall.SIGKILL,
		},
	})
	if err != nil {
		return fmt.Errorf("acting as uid %d: %w", owner.UID, err)
	}
	ended, err := p.Wait()
	if err != nil {
		return err
	}
	if !ended.Success() {
		return exitStatus(statusRefused)
	}
	return nil
}

func (c *call) slurmExplainCommand() *cobra.Command {
	var driver, bundlePath string
	cmd := &cobra.Command{
		Use:   "explain",
		Short: "Print which driver a job gets and why, from the environment it has",
		Long: `Print which driver a job gets and why. It looks at the variables that Slurm gives a job
(SLURM_JOB_PARTITION, SLURM_JOB_ACCOUNT, …), so run it inside one, or set them:

  SLURM_JOB_PARTITION=gpu berth slurm explain --bundle /images/app`,
		Args: cobra.NoArgs,
		RunE: func(*cobra.Command, []string) error {
			h, err := c.slurmHost()
			if err != nil {
				return err
			}
			choice, err := slurm.Explain(h, driver, bundlePath)
			if err != nil {
				return err
			}
			fmt.Printf("driver: %s\nbecause: %s\n", choice.Driver, choice.Because)
			return nil
		},
	}
	cmd.Flags().StringVar(&driver, "driver", "", "the driver that the job would ask for")
	cmd.Flags().StringVar(&bundlePath, "bundle", "", "the bundle that the job would name")
	return cmd
}
