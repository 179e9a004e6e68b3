package drivertest

import (
	"context"
	"encoding/json"
	"errors"
	"os"
	"strconv"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

func execCases() []Case {
	return []Case{
		{"exec/capability",
			"Exec works for a driver that claims exec, and is refused as unsupported otherwise.",
			"A capability list kept by hand that has drifted from the code.",
			(*trial).execClaim},
		{"exec/status",
			"A further program's status is the command's, 255 too, and its output is on the command's streams.",
			"runc exec's own failures are 255 as well.",
			(*trial).execStatus},
		{"exec/exact",
			"Its arguments, variables and directory are those of process.json, and it sees the container's processes.",
			"A driver that builds a shell line for it.",
			(*trial).execExact},
		{"exec/descriptors",
			"It has the descriptors that the request names, or the request is refused as unsupported.",
			"A runtime that closes all but the standard streams.",
			(*trial).execFiles},
		{"exec/wrong-state",
			"Exec in an unknown container is not found, in a stopped one refused.",
			"A program that starts on the node instead.",
			(*trial).execStates},
	}
}

func processJSON(p *specs.Process) json.RawMessage {
	data, _ := json.Marshal(p) // a struct of strings and numbers
	return data
}

// further is a further program for the container: the probe, as its first program's user.
func (c *container) further(args ...string) *specs.Process {
	p := *c.spec.Process
	p.Args = append([]string{"/bin/" + probe.Name}, args...)
	return &p
}

func (t *trial) execClaim() {
	t.refusedUnlessClaimed("exec", map[string]call{
		"Exec": func(ctx context.Context, d *client.Driver, c *sdk.Container) error {
			_, err := d.Exec(ctx, c, &sdk.Process{Spec: processJSON(&specs.Process{Args: []string{"x"}, Cwd: "/"})})
			return err
		},
	})
}

// exec asks for a further program as the host does, which tells the container's process as long as
// it runs: its task's.
func (c *container) exec(p *specs.Process, s streams) *task {
	c.about.Pid = 0
	if len(c.tasks) > 0 && !c.tasks[0].hasEnded() {
		c.about.Pid = c.tasks[0].cmd.Process.Pid
	}
	task := c.launch(launcher.Request{Call: "exec", Process: sdk.Process{Spec: processJSON(p)}}, s)
	if task.stdin != nil {
		task.stdin.Close()
	}
	return task
}

func (t *trial) execStatus() {
	t.needs("exec")
	c := t.container([]string{"wait", "0"})
	c.waiting()
	for _, status := range []string{"1", "42", "255"} {
		task := c.exec(c.further("exit", status), streams{})
		task.wait()
		t.sameStrings("status", []string{strconv.Itoa(task.status())}, []string{status})
	}
	task := c.exec(c.further("say", "to out\n", "to err\n"), streams{})
	task.wait()
	if task.status() != 0 || task.out.String() != "to out\n" || task.err.String() != "to err\n" {
		t.Errorf("status not 0, or the streams are mixed: %s", task.describe())
	}
}

func (t *trial) execExact() {
	t.needs("exec")
	c := t.container([]string{"wait", "0"})
	c.waiting()
	p := c.further(append([]string{"report"}, awkward()...)...)
	p.Env = append(p.Env, "ONE=$HOME 'x'\ny")
	p.Cwd = "/work dir"
	task := c.exec(p, streams{})
	task.wait()
	r := t.reportOf(task)
	t.sameStrings("argument", r.Args, p.Args)
	t.sameEnv(r.Env, p.Env)
	if r.Dir != p.Cwd {
		t.Errorf("directory %q instead of %q", r.Dir, p.Cwd)
	}
	if r.Pid > 100 && !t.lacks(Isolation) {
		t.Errorf("pid %d: not in the container's pid namespace", r.Pid)
	}
}

func (t *trial) execFiles() {
	t.needs("exec")
	c := t.container([]string{"wait", "0"})
	c.waiting()
	extra := []*os.File{t.file("third")}
	task := c.exec(c.further("report"), streams{files: extra})
	task.wait()
	task.lacks()
	r := t.reportOf(task)
	if dev, ino := identity(extra[0]); r.Files[3].Dev != dev || r.Files[3].Ino != ino {
		t.Errorf("descriptor 3 is not the caller's file")
	}
}

func (t *trial) execStates() {
	t.needs("exec")
	c := t.container([]string{"wait", "0"})
	t.execFails(c, "an unknown container", sdk.ErrNotFound)
	task := c.waiting()
	if t.can("lifecycle") {
		t.must(c.kill(syscall.SIGKILL, false))
	} else {
		t.must(task.cmd.Process.Kill())
	}
	task.wait()
	t.execFails(c, "a stopped container", sdk.ErrState, sdk.ErrNotFound)
}

// execFails checks a further program that cannot run: the driver says so by one of the kinds, or
// leaves it to the runtime.
func (t *trial) execFails(c *container, what string, kinds ...error) {
	task := c.exec(c.further("exit", "0"), streams{})
	_, err := task.plan()
	status := task.wait()
	for _, kind := range kinds {
		if errors.Is(err, kind) {
			return
		}
	}
	switch {
	case err != nil:
		t.Errorf("exec in %s: %s instead of %v: %v", what, kindName(err), kinds, err)
	case status == 0:
		t.Errorf("exec in %s ran", what)
	default:
		t.Notef("exec in %s is left to the runtime: %s", what, task.describe())
	}
}
