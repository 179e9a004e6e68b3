// Package launcher is the kit's stand-in for the host: a short-lived process that starts the
// driver, asks it for a command, ends and reaps it, and then becomes the command, so that what
// the kit sees of a container is what a job would see.
package launcher

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"runtime/debug"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

// Argument is the first argument that makes a program this one.
const Argument = "drivertest-launch"

// What a launcher is asked to do with the answer.
const (
	Become = ""     // become the command
	Plan   = "plan" // only write it down
	Hold   = "hold" // write it down and keep the driver until killed
)

// Abandoned is after what time a launcher ends by itself. Before, the kit kills one that it gives up;
// only if the kit has died does anything live that long.
const Abandoned = time.Hour

// Request is what the kit writes for a launcher.
type Request struct {
	Call       string // "run", "create" or "exec"
	Then       string // Become, Plan or Hold
	Driver     string
	Settings   json.RawMessage
	Scratch    string
	DriverEnv  []string
	Container  sdk.Container
	Shared     string // directory of the container's step, for a driver that prepares
	Supervise  bool   // where Run is unsupported, create and stay, for a driver that can
	Process    sdk.Process
	Umask      *int                // nil: as it is
	Limits     map[int]probe.Limit // by the numbers of getrlimit(2)
	Files      int                 // extra descriptors that the command is to inherit
	IgnoreHUP  bool                // as nohup does
	CloseStdin bool                // descriptor 0 is closed when the command begins
}

// Answer is what a launcher writes before it becomes the command.
type Answer struct {
	Command *sdk.Command
	Creates bool // the command only creates the container
	Error   *Failure
	Driver  int   // the driver's pid
	Strays  []int // processes that the driver left behind
}

// Main does what the file request says and writes its Answer to the file answer. It returns only
// where there is nothing to become.
func Main(request, answer string) int {
	debug.SetGCPercent(400) // as the host: it is over before it has much to collect
	status, err := 0, error(nil)
	req, err := read(request)
	if err == nil {
		status, err = req.launch(answer)
	}
	if err != nil {
		fmt.Fprintf(os.Stderr, "drivertest: %v\n", err)
		return 125
	}
	return status
}

func read(request string) (*Request, error) {
	req := new(Request)
	data, err := os.ReadFile(request)
	if err != nil {
		return nil, fmt.Errorf("reading the request: %w", err)
	}
	if err := json.Unmarshal(data, req); err != nil {
		return nil, fmt.Errorf("parsing the request: %w", err)
	}
	return req, nil
}

func (req *Request) launch(answer string) (status int, err error) {
	// The job's descriptors are not the driver's.
	if err := unix.CloseRange(3, ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return 0, fmt.Errorf("keeping descriptors from the driver: %w", err)
	}
	if err := req.settle(); err != nil {
		return 0, err
	}
	req.Container.Umask = unix.Umask(0)
	unix.Umask(req.Container.Umask)
	got, planErr := plan(req, answer)
	if err := got.write(answer); err != nil {
		return 0, err
	}
	switch {
	case planErr != nil || req.Then == Plan:
		return 0, planErr
	case got.Creates:
		return supervise(req, got.Command)
	}
	return 0, become(req, got.Command)
}

// settle makes the process what the case wants a job's task to be.
func (req *Request) settle() error {
	if req.Umask != nil {
		unix.Umask(*req.Umask)
	}
	for resource, l := range req.Limits {
		if err := unix.Setrlimit(resource, &unix.Rlimit{Cur: l.Cur, Max: l.Max}); err != nil {
			return fmt.Errorf("setting resource limit %d: %w", resource, err)
		}
	}
	return nil
}

// plan asks the driver. What it starts and leaves behind becomes a child of this process, where
// it is seen.
func plan(req *Request, answer string) (*Answer, error) {
	got := &Answer{}
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return got, fmt.Errorf("becoming a subreaper: %w", err)
	}
	ctx, cancel := context.WithTimeout(context.Background(), Abandoned)
	defer cancel()
	d, err := req.open(ctx)
	if err == nil {
		got.Driver = d.Pid()
		got.Command, got.Creates, err = ask(ctx, d, req)
		if req.Then == Hold {
			return got, hold(got, answer)
		}
		d.Close()
	}
	sweep(req.Scratch)
	got.Error = Fail(err)
	got.Strays = strays()
	return got, errors.Join(err, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 0, 0, 0, 0))
}

// open starts the driver.
func (req *Request) open(ctx context.Context) (*client.Driver, error) {
	return client.Start(ctx, client.Config{
		Name: "tested", Path: req.Driver, Env: req.DriverEnv, Settings: req.Settings, Scratch: req.Scratch,
		MayGainPrivileges: req.Shared != "", StartTimeout: Abandoned,
	})
}

// sweep empties the directory of the driver's socket, which a driver that had to be killed leaves.
func sweep(scratch string) {
	entries, _ := os.ReadDir(scratch)
	for _, e := range entries {
		_ = os.RemoveAll(filepath.Join(scratch, e.Name())) // what stays is reported by the kit
	}
}

// ask asks for the command; creates says that it is that of Create although Run was to be asked.
func ask(ctx context.Context, d *client.Driver, req *Request) (cmd *sdk.Command, creates bool, err error) {
	switch req.Call {
	case "run":
		cmd, err = Prepared(ctx, d, &req.Container, req.Shared, d.Run)
		if !req.Supervise || !errors.Is(err, sdk.ErrUnsupported) {
			return cmd, false, err
		}
		container := req.Container
		container.IO.PidFile = req.pidFile()
		cmd, createErr := Prepared(ctx, d, &container, req.Shared, d.Create)
		if errors.Is(createErr, sdk.ErrUnsupported) {
			return nil, false, err // the reason is what Run said
		}
		return cmd, createErr == nil, createErr
	case "create":
		cmd, err = Prepared(ctx, d, &req.Container, req.Shared, d.Create)
	case "exec":
		cmd, err = d.Exec(ctx, &req.Container, &req.Process)
	default:
		err = fmt.Errorf("unknown call %q", req.Call)
	}
	return cmd, false, err
}

// Prepared asks for a plan, and where the driver wants the container's step prepared first has it do so.
// shared is the step's directory.
func Prepared(ctx context.Context, d *client.Driver, c *sdk.Container, shared string, ask func(context.Context, *sdk.Container) (*sdk.Command, error)) (*sdk.Command, error) {
	cmd, err := ask(ctx, c)
	if !errors.Is(err, sdk.ErrUnprepared) {
		return cmd, err
	}
	c.Step = Step(shared)
	if err := d.Prepare(ctx, c, func(sdk.Progress) {}); err != nil {
		return nil, err
	}
	return ask(ctx, c)
}

// Step is the step that every container of the kit is the only task of.
func Step(shared string) *sdk.Step {
	return &sdk.Step{Job: "1", Step: "0", Tasks: 1, Node: "kit", Dir: shared}
}

func hold(got *Answer, answer string) error {
	if err := got.write(answer); err != nil {
		return err
	}
	time.Sleep(Abandoned) // until it is killed
	return errors.New("held the driver for too long")
}

// become gives the process the state that a command is promised and replaces it.
func become(req *Request, c *sdk.Command) error {
	if c.Dir != "" {
		if err := os.Chdir(c.Dir); err != nil {
			return fmt.Errorf("entering the command's directory: %w", err)
		}
	}
	for fd := 3; fd < 3+req.Files; fd++ {
		if _, err := unix.FcntlInt(uintptr(fd), unix.F_SETFD, 0); err != nil {
			return fmt.Errorf("passing on descriptor %d: %w", fd, err)
		}
	}
	if req.IgnoreHUP {
		ignoreHangup()
	}
	if req.CloseStdin {
		if err := unix.Close(0); err != nil {
			return fmt.Errorf("closing stdin: %w", err)
		}
	}
	return fmt.Errorf("executing %q: %w", c.Path, syscall.Exec(c.Path, c.Args, c.Env))
}

func (a *Answer) write(file string) error {
	data, err := json.Marshal(a)
	if err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	if err := os.WriteFile(file+".new", data, 0o600); err != nil {
		return fmt.Errorf("writing the answer: %w", err)
	}
	return os.Rename(file+".new", file)
}
