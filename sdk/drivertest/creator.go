package drivertest

import (
	"context"
	"errors"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
)

func creatorCases() []Case {
	return []Case{
		{"create/capability",
			"Create and Start work for a driver that claims create, and are refused as unsupported otherwise.",
			"A capability list kept by hand that has drifted from the code.",
			(*trial).createClaim},
		{"create/phases",
			"A container is created, running, stopped and gone in turn; its program runs only after start, on the streams that create was given.",
			"go-runc's Create with no IO blocks until the container is deleted; Slurm's own create path loses the output.",
			(*trial).createPhases},
		{"create/pid-file",
			"The pid file holds the pid of the container's process, in decimal, once create has ended.",
			"podman waits for a file that is empty at first.",
			(*trial).createPidFile},
		{"create/console",
			"With a terminal, the console socket gets its master.",
			"A create that wants the caller's own terminal, which a daemon has not.",
			(*trial).createConsole},
		{"create/wrong-state",
			"Start is refused for a running, a stopped and an unknown container, by the right kind.",
			"crun's start of a running container complains of a missing exec.fifo.",
			(*trial).createStates},
		{"create/delete-created",
			"A created container can be killed and deleted, and leaves nothing.",
			"The runtime's init waits for start for ever.",
			(*trial).createDelete},
		{"create/second-use",
			"Creating a second container of an ID is refused, as exists or by the command's own failure, and the first is unharmed.",
			"A failed create that cleans up the other one's state.",
			(*trial).createTwice},
	}
}

func (t *trial) createClaim() {
	t.refusedUnlessClaimed("create", map[string]call{
		"Create": func(ctx context.Context, d *client.Driver, c *sdk.Container) error {
			_, err := d.Create(ctx, c)
			return err
		},
		"Start": func(ctx context.Context, d *client.Driver, c *sdk.Container) error { return d.Start(ctx, c) },
	})
}

// create creates the container and waits for the command's end, or ends the case.
func (c *container) create() *task {
	c.t.needs("create")
	task := c.launch(launcher.Request{Call: "create"}, streams{})
	c.succeeds(task)
	return task
}

// succeeds waits for a command whose streams outlive it.
func (c *container) succeeds(task *task) {
	if !c.t.until(task.hasEnded) {
		c.t.Fatalf("the command does not end: %s", task.describe())
	}
	if status := task.status(); status != 0 {
		c.t.Fatalf("the command failed: %s", task.describe())
	}
}

func (t *trial) createPhases() {
	c := t.container([]string{"wait", "0"})
	task := c.create()
	c.reaches(specs.StateCreated)
	if out := task.out.String(); out != "" {
		t.Errorf("before start, stdout has %q", clip(out))
	}
	t.must(c.start())
	c.reaches(specs.StateRunning)
	t.eventually("the program writes on the stdout that create was given", func() bool { return strings.HasPrefix(task.out.String(), "ready") })
	t.must(c.kill(syscall.SIGUSR1, false))
	t.eventually("the program gets a signal", func() bool { return task.got(syscall.SIGUSR1) == 1 })
	task.stdin.Close()
	c.reaches(specs.StateStopped)
	t.must(c.delete(false))
	if got := c.status(); got != kindName(sdk.ErrNotFound) {
		t.Errorf("after delete the status is %s", got)
	}
}

func (t *trial) createPidFile() {
	c := t.container([]string{"wait", "0"})
	c.about.IO.PidFile = filepath.Join(c.about.Bundle, "pid")
	c.create()
	text, err := os.ReadFile(c.about.IO.PidFile)
	t.must(err)
	state, err := c.state()
	t.must(err)
	if got := strings.TrimSpace(string(text)); got != fmt.Sprint(state.Pid) {
		t.Errorf("the pid file has %q, the state %d", got, state.Pid)
	}
}

func (t *trial) createConsole() {
	t.needs("create")
	c := t.container([]string{"wait", "0"}, func(spec *specs.Spec) { spec.Process.Terminal = true })
	c.about.IO.ConsoleSocket = filepath.Join(c.about.Bundle, "tty")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: c.about.IO.ConsoleSocket, Net: "unix"})
	t.must(err)
	defer listener.Close()
	c.create()
	t.untilGivenUp(listener)
	conn, err := listener.AcceptUnix()
	t.must(err)
	defer conn.Close()
	t.untilGivenUp(conn)
	master, err := receiveFile(conn)
	t.must(err)
	screen := newStream(master)
	t.Cleanup(func() { master.Close() })
	t.must(c.start())
	t.eventually("the program's words come out of the console", func() bool { return strings.Contains(screen.String(), "ready") })
	t.must(c.kill(syscall.SIGKILL, false))
	c.reaches(specs.StateStopped)
}

// receiveFile takes the one descriptor of a console socket's message (SCM_RIGHTS, unix(7)).
func receiveFile(conn *net.UnixConn) (*os.File, error) {
	oob := make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 4096), oob)
	if err != nil {
		return nil, fmt.Errorf("reading the console socket: %w", err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		return nil, fmt.Errorf("the console socket got no descriptor")
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		return nil, fmt.Errorf("the console socket got no descriptor")
	}
	return os.NewFile(uintptr(fds[0]), "console"), nil
}

func (t *trial) createStates() {
	t.needs("create")
	unknown := t.container([]string{"exit", "0"})
	if err := unknown.start(); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("start of an unknown container: %s instead of %q: %v", kindName(err), sdk.ErrNotFound, err)
	}
	c := t.container([]string{"wait", "0"})
	task := c.create()
	t.must(c.start())
	if err := c.start(); !errors.Is(err, sdk.ErrState) {
		t.Errorf("start of a running container: %s instead of %q: %v", kindName(err), sdk.ErrState, err)
	}
	task.stdin.Close()
	c.reaches(specs.StateStopped)
	if err := c.start(); !errors.Is(err, sdk.ErrState) {
		t.Errorf("start of a stopped container: %s instead of %q: %v", kindName(err), sdk.ErrState, err)
	}
}

func (t *trial) createDelete() {
	for _, kill := range []bool{true, false} {
		c := t.container([]string{"wait", "0"})
		c.create()
		if kill {
			t.must(c.kill(syscall.SIGKILL, false))
			c.reaches(specs.StateStopped)
		}
		t.must(c.delete(!kill))
		if got := c.status(); got != kindName(sdk.ErrNotFound) {
			t.Errorf("after delete the status is %s", got)
		}
	}
}

func (t *trial) createTwice() {
	c := t.container([]string{"wait", "0"})
	task := c.create()
	second := c.launch(launcher.Request{Call: "create"}, streams{})
	t.refusedAsExisting(second)
	c.reaches(specs.StateCreated)
	t.must(c.start())
	t.eventually("the first container runs", func() bool { return strings.Contains(task.out.String(), "ready") })
	task.stdin.Close()
	c.reaches(specs.StateStopped)
}

// refusedAsExisting checks a second use of an ID: where the driver does not see it, the runtime must.
func (t *trial) refusedAsExisting(second *task) {
	switch _, err := second.plan(); {
	case errors.Is(err, sdk.ErrExists):
	case err != nil:
		t.Errorf("%s instead of %q: %v", kindName(err), sdk.ErrExists, err)
	case second.wait() == 0:
		t.Errorf("a second container of the same ID was made")
	default:
		t.Notef("left to the runtime: %s", second.describe())
	}
}
