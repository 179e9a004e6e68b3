package cli

import (
	"crypto/rand"
	"errors"
	"fmt"
	"path/filepath"
	"strings"

	"github.com/spf13/cobra"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/cmdline"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/host/slurm"
	"github.com/berth-hpc/berth/sdk"
)

// options are the flags of run and create.
type options struct {
	driver, id, workdir       string
	env, mounts, devices      []string
	tty, init, dryRun         bool
	terminal                  *bool // what --tty says; nil: nothing
	files                     int
	pidFile, consoleSocket    string
	runtimeLog, runtimeFormat string
	tasks                     int
	launch                    string // what the task's launcher is called; hidden
	label                     bool
}

func (o *options) add(cmd *cobra.Command) {
	f := cmd.Flags()
	f.StringVar(&o.driver, "driver", "", "driver `NAME` to use, where the site's policy allows it")
	f.StringVar(&o.id, "id", "", "container `ID` (default: a new one)")
	f.StringVar(&o.workdir, "workdir", "", "working `DIRECTORY` in the container")
	f.StringArrayVar(&o.env, "env", nil, "set a variable, `NAME=VALUE`, or pass the caller's on, NAME")
	f.StringArrayVar(&o.mounts, "mount", nil, "bind a file or directory of the node, `SRC:DST[:OPTION,...]`")
	f.StringArrayVar(&o.devices, "device", nil, "add a `DEVICE`: one of a CDI specification, nvidia.com/gpu=0, or a node, /dev/fuse")
	f.BoolVarP(&o.tty, "tty", "t", false, "give the container a terminal; --tty=false: none, whatever the bundle says")
	f.BoolVar(&o.init, "init", false, "keep a small init as process 1, which reaps and passes signals on")
	f.IntVar(&o.files, "preserve-fds", 0, "pass descriptors 3 to `N`+2 on to the container")
	f.StringVar(&o.pidFile, "pid-file", "", "`FILE` that takes the container's pid")
	f.StringVar(&o.runtimeLog, "runtime-log", "", "`FILE` that takes the runtime's own messages")
	f.StringVar(&o.runtimeFormat, "runtime-log-format", "", "their `FORMAT`, text or json")
	f.BoolVar(&o.dryRun, "dry-run", false, "print as JSON what would be executed, and do nothing")
}

func (c *call) runCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "run [flags] BUNDLE [-- CMD ARG…]",
		Short: "Run a container from an OCI bundle",
		Long: `Run a container from the OCI bundle in directory BUNDLE, with its own command or CMD.

The process becomes the container: its exit status is the command's (126: it cannot
be executed, 127: it is not there, 128+n: it died of signal n). Status 125 means that
berth or the driver refused before anything was started.`,
		Example: `  berth run ./bundle
  berth run --driver runc ./bundle -- echo hello
  berth run -n 4 --label ./bundle -- sh -c 'echo task $BERTH_PROCID of $BERTH_NTASKS'`,
		Args: bundleArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.settle(cmd); err != nil {
				return err
			}
			if cmd.Flags().Changed("tasks") {
				return c.launch(o, args)
			}
			return c.plan(o, args, (*dispatch.Host).Run)
		},
	}
	o.add(cmd)
	cmd.Flags().IntVarP(&o.tasks, "tasks", "n", 1, "start `N` tasks at once, each in a container of its own")
	cmd.Flags().StringVar(&o.launch, "launch", "", "name of the launch that this is a task of")
	_ = cmd.Flags().MarkHidden("launch") // between the launcher and its tasks
	cmd.Flags().BoolVar(&o.label, "label", false, "with -n: put the task's number in front of each line of output")
	return cmd
}

func (c *call) createCommand() *cobra.Command {
	var o options
	cmd := &cobra.Command{
		Use:   "create [flags] BUNDLE [-- CMD ARG…]",
		Short: "Create a container that waits for start",
		Long: `Create a container from the OCI bundle in directory BUNDLE. Its program runs when
"berth start" is called; it keeps the standard streams of this call.`,
		Args: bundleArgs,
		RunE: func(cmd *cobra.Command, args []string) error {
			if err := o.settle(cmd); err != nil {
				return err
			}
			return c.plan(o, args, (*dispatch.Host).Create)
		},
	}
	o.add(cmd)
	cmd.Flags().StringVar(&o.consoleSocket, "console-socket", "", "unix `SOCKET` that takes the terminal's master")
	return cmd
}

// settle completes the options once the command line is read.
func (o *options) settle(cmd *cobra.Command) error {
	if cmd.Flags().Changed("tty") {
		o.terminal = &o.tty
	}
	if cmd.Flags().Changed("id") { // an empty one is a mistake in somebody's script
		return sdk.ValidateID(o.id)
	}
	return nil
}

// bundleArgs accepts BUNDLE, and a command only behind "--", so that its options stay its own.
func bundleArgs(cmd *cobra.Command, args []string) error {
	before := cmd.ArgsLenAtDash()
	switch {
	case before < 0 && len(args) > 1:
		return sdk.WithAdvice(fmt.Errorf("unexpected argument %q", args[1]), `put "--" in front of the command`)
	case len(args) == 0 || before == 0:
		return errors.New("which bundle? give the directory of an OCI bundle")
	case before > 1:
		return fmt.Errorf("unexpected argument %q", args[1])
	case before == 1 && len(args) == 1:
		return errors.New(`no command after "--"`)
	}
	return nil
}

func (c *call) plan(o options, args []string, make func(*dispatch.Host, dispatch.Request) (*dispatch.Plan, error)) error {
	h, err := c.host(o.files)
	if err != nil {
		return err
	}
	r, err := c.request(o, args)
	if err != nil {
		return err
	}
	p, err := make(h, r)
	if err != nil {
		return err
	}
	if o.dryRun {
		defer p.Discard()
		return printPlan(p)
	}
	return execute(p)
}

// execute becomes the plan, or supervises its container and ends with its status.
func execute(p *dispatch.Plan) error {
	status, err := p.Execute()
	if err != nil {
		return err
	}
	return exitStatus(status)
}

func (c *call) request(o options, args []string) (dispatch.Request, error) {
	r := dispatch.Request{
		ID: o.id, Bundle: args[0], Driver: o.driver, Workdir: o.workdir, Init: o.init, Files: o.files,
		Terminal: o.terminal, Devices: o.devices, Launch: o.launch, Within: slurm.Within(c.env),
		IO:  sdk.IO{ConsoleSocket: absolute(o.consoleSocket), PidFile: absolute(o.pidFile)},
		Log: sdk.Log{Path: absolute(o.runtimeLog), Format: o.runtimeFormat, Debug: c.debug},
	}
	if r.ID == "" {
		r.ID = newID()
	}
	if len(args) > 1 {
		r.Args = args[1:]
	}
	for _, entry := range o.env {
		entry, err := c.variable(entry)
		if err != nil {
			return r, err
		}
		r.Env = append(r.Env, entry)
	}
	for _, text := range o.mounts {
		m, err := parseMount(text)
		if err != nil {
			return r, err
		}
		r.Mounts = append(r.Mounts, m)
	}
	return r, nil
}

// variable completes NAME by the caller's value.
func (c *call) variable(entry string) (string, error) {
	if strings.Contains(entry, "=") {
		return entry, nil
	}
	for _, have := range c.env {
		if strings.HasPrefix(have, entry+"=") {
			return have, nil
		}
	}
	return "", sdk.Mark(fmt.Errorf("--env %q: there is no such variable in the environment", entry), sdk.ErrInvalid)
}

// parseMount reads SRC:DST[:OPTION,...].
func parseMount(text string) (bundle.Mount, error) {
	parts := strings.SplitN(text, ":", 3)
	if len(parts) < 2 || parts[0] == "" || parts[1] == "" {
		return bundle.Mount{}, sdk.Mark(fmt.Errorf("--mount %q is not SRC:DST[:OPTION,...]", text), sdk.ErrInvalid)
	}
	m := bundle.Mount{Source: absolute(parts[0]), Destination: parts[1]}
	if len(parts) == 3 {
		m.Options = strings.Split(parts[2], ",")
	}
	return m, nil
}

// absolute makes a path absolute; the empty path stays empty.
func absolute(path string) string {
	if path == "" {
		return ""
	}
	if abs, err := filepath.Abs(path); err == nil {
		return abs
	}
	return path
}

// newID makes up a container ID that nobody else has.
func newID() string { return "berth-" + strings.ToLower(rand.Text()[:13]) }

// printPlan writes a plan as one JSON document.
func printPlan(p *dispatch.Plan) error {
	type change struct {
		Path string `json:"path"`
		Why  string `json:"why"`
	}
	out := struct {
		Driver    string   `json:"driver"`
		Because   string   `json:"because"`
		Container string   `json:"container"`
		Path      string   `json:"path"`
		Args      []string `json:"args"`
		Env       []string `json:"env"`
		Dir       string   `json:"dir,omitempty"`
		// Supervised: the command creates the container, and berth stays until it has ended.
		Supervised bool     `json:"supervised,omitempty"`
		Changes    []change `json:"changes"`
	}{
		Driver: p.Driver, Because: p.Because, Container: p.Container,
		Path: p.Command.Path, Args: p.Command.Args, Env: p.Command.Env, Dir: p.Command.Dir,
		Supervised: p.Supervised(),
	}
	for _, ch := range p.Changes {
		out.Changes = append(out.Changes, change{ch.Path, ch.Why})
	}
	return cmdline.PrintJSON(out)
}
