package drivertest

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
)

// task is what a job's task is on a node: the process that asks for a command and becomes it.
type task struct {
	c      *container
	cmd    *exec.Cmd
	answer string // the launcher's file
	stdin  *os.File
	out    *stream
	err    *stream
	ended  chan struct{}
	pipes  []*os.File
}

// streams are a task's standard streams and further descriptors; a nil one is a pipe that the kit
// holds the other end of.
type streams struct {
	stdin, stdout, stderr *os.File
	files                 []*os.File
	tty                   bool // stdin is the controlling terminal
	env                   []string
}

// launch starts a task. With req.Call empty it runs the container.
func (c *container) launch(req launcher.Request, s streams) *task {
	t := c.t
	task := &task{c: c, ended: make(chan struct{})}
	n := len(c.tasks)
	request := filepath.Join(c.dir, fmt.Sprintf("request%d", n))
	task.answer = filepath.Join(c.dir, fmt.Sprintf("answer%d", n))
	t.must(c.writeRequest(request, req, len(s.files)))
	task.cmd = exec.Command(t.cfg.Program, launcher.Argument, request, task.answer)
	task.cmd.Env = append(os.Environ(), s.env...)
	task.cmd.ExtraFiles = s.files
	task.cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: !s.tty, Setsid: s.tty, Setctty: s.tty}
	t.must(task.connect(s))
	t.must(task.cmd.Start())
	for _, f := range task.pipes {
		f.Close()
	}
	task.pipes = nil
	go func() {
		defer close(task.ended)
		_ = task.cmd.Wait() // the status is in ProcessState
	}()
	c.tasks = append(c.tasks, task)
	return task
}

func (c *container) writeRequest(file string, req launcher.Request, files int) error {
	if req.Call == "" {
		req.Call = "run"
	}
	if req.Settings == nil {
		settings, err := c.t.cfg.settings(nil)
		if err != nil {
			return err
		}
		req.Settings = settings
	}
	req.Driver, req.Scratch, req.DriverEnv = c.t.cfg.Driver, c.scratch(), driverEnv()
	req.Container, req.Files = c.about, files
	req.Supervise = c.t.can("create")
	if c.t.can("prepare") {
		req.Shared = c.shared()
	}
	if req.Call == "exec" {
		req.Process.Files = files
	} else {
		req.Container.Files = files
	}
	data, err := json.Marshal(req)
	if err != nil {
		return fmt.Errorf("writing a request: %w", err)
	}
	return os.WriteFile(file, data, 0o600)
}

// connect gives the task its streams.
func (t *task) connect(s streams) error {
	if s.stdin == nil {
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		s.stdin, t.stdin, t.pipes = r, w, append(t.pipes, r)
	}
	for _, std := range []struct {
		file **os.File
		into **stream
	}{{&s.stdout, &t.out}, {&s.stderr, &t.err}} {
		if *std.file != nil {
			continue
		}
		r, w, err := os.Pipe()
		if err != nil {
			return err
		}
		*std.file, *std.into, t.pipes = w, newStream(r), append(t.pipes, w)
	}
	t.cmd.Stdin, t.cmd.Stdout, t.cmd.Stderr = s.stdin, s.stdout, s.stderr
	return nil
}

// run starts the container and waits for its end, with nothing to read on stdin.
func (c *container) run() *task {
	task := c.launch(launcher.Request{}, streams{})
	task.stdin.Close()
	task.wait()
	return task
}

// waiting starts a container whose program is "wait", and returns once that is ready.
func (c *container) waiting() *task {
	task := c.launch(launcher.Request{}, streams{})
	task.ready()
	return task
}

// ready waits for the program's first word, or ends the case.
func (t *task) ready() {
	if t.c.t.until(func() bool { return strings.Contains(t.out.String(), "ready") || t.hasEnded() && t.out.done() }) &&
		strings.Contains(t.out.String(), "ready") {
		return
	}
	t.c.t.Fatalf("the program did not start: %s", t.describe())
}

func (t *task) hasEnded() bool {
	select {
	case <-t.ended:
		return true
	default:
		return false
	}
}

// wait waits for the end of the task and of its output, and returns its status as a shell would.
func (t *task) wait() int {
	select {
	case <-t.ended:
	case <-t.c.t.ctx.Done():
		t.c.t.Fatalf("the task does not end: %s", t.describe())
	}
	for _, s := range []*stream{t.out, t.err} {
		if s != nil && !t.c.t.until(s.done) {
			t.c.t.Errorf("the task has ended, but something still holds its output open")
		}
	}
	return t.status()
}

func (t *task) status() int {
	ws := t.cmd.ProcessState.Sys().(syscall.WaitStatus)
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// describe is what is known of the task, for messages.
func (t *task) describe() string {
	text := "it still runs"
	if t.hasEnded() {
		text = fmt.Sprintf("status %d", t.status())
	}
	for _, s := range []struct {
		name string
		from *stream
	}{{"stdout", t.out}, {"stderr", t.err}} {
		if s.from != nil && s.from.String() != "" {
			text += fmt.Sprintf(", %s %q", s.name, clip(s.from.String()))
		}
	}
	return text
}

func clip(text string) string {
	if len(text) > 600 {
		return text[:600] + "…"
	}
	return text
}

// plan is what the driver answered, or its error. It ends the case where the launcher wrote none.
func (t *task) plan() (*launcher.Answer, error) {
	var data []byte
	t.c.t.until(func() (ok bool) {
		var err error
		data, err = os.ReadFile(t.answer)
		return err == nil || t.hasEnded() && errors.Is(err, os.ErrNotExist)
	})
	var a launcher.Answer
	if err := json.Unmarshal(data, &a); err != nil {
		t.c.t.Fatalf("the launcher has not answered: %s", t.describe())
	}
	return &a, a.Error.Err()
}

// lacks ends the case where the driver has refused the container as nothing it can do.
func (t *task) lacks() {
	if _, err := t.plan(); errors.Is(err, sdk.ErrUnsupported) {
		t.wait()
		t.c.t.Lacks("%v", err)
	}
}

// end sees to it that the task ends: the program's stdin first.
func (t *task) end() {
	if t.stdin != nil {
		t.stdin.Close()
	}
	select {
	case <-t.ended:
	case <-t.c.t.ctx.Done():
		_ = t.cmd.Process.Kill()
		<-t.ended
	}
}

// close lets go of the task's output.
func (t *task) close() {
	for _, s := range []*stream{t.out, t.err} {
		if s != nil {
			s.from.Close()
		}
	}
}
