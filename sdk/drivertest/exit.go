package drivertest

import (
	"fmt"
	"strings"
	"syscall"
)

func exitCases() []Case {
	var cases []Case
	for _, status := range []int{0, 1, 2, 42, 255} {
		cases = append(cases, Case{
			Name:   fmt.Sprintf("exit/status-%d", status),
			Proves: fmt.Sprintf("A program that ends with status %d ends the task with status %d, without a word on stdout.", status, status),
			Guards: "A runtime's wrapper that reports every failure as 1, or success for all.",
			run:    func(t *trial) { t.endsWith(t.container([]string{"exit", fmt.Sprint(status)}), status) },
		})
	}
	for _, c := range []struct {
		name, command, why string
		status             int
	}{
		{"not-found", "no-such-command", "A command that PATH does not lead to", 127},
		{"no-such-path", "/bin/no-such-command", "A path that does not exist", 127},
		{"no-interpreter", "no-interpreter", "A script whose interpreter does not exist", 127},
		{"not-executable", "/bin/not-executable", "A file without permission to execute", 126},
		{"not-a-program", "not-a-program", "A file that is neither program nor script, and is not handed to a shell,", 126},
		{"directory", "/bin/directory", "A directory", 126},
	} {
		cases = append(cases, Case{
			Name:   "exit/" + c.name,
			Proves: fmt.Sprintf("%s ends the task with status %d and one line on stderr.", c.why, c.status),
			Guards: "runc and crun report every such failure as 1, which a program's own 1 cannot be told from.",
			run:    func(t *trial) { t.cannotRun(c.command, c.status) },
		})
	}
	return append(cases, Case{
		Name:   "exit/killed",
		Proves: "A program that a signal ends, ends the task with 128 and the signal's number.",
		Guards: "A relay that takes the exit code of a killed process for -1 or 0.",
		run: func(t *trial) {
			for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
				t.endsWith(t.container([]string{"die", fmt.Sprint(int(sig))}, withoutPidNamespace), 128+int(sig))
			}
		},
	})
}

func (t *trial) endsWith(c *container, status int) {
	task := c.run()
	if status != 0 { // a driver that refuses the simplest container can run nothing
		task.lacks()
	}
	if got := task.status(); got != status {
		t.Errorf("status %d instead of %d: %s", got, status, task.describe())
	}
	if out := task.out.String(); out != "" {
		t.Errorf("somebody wrote on the job's stdout: %q", clip(out))
	}
}

func (t *trial) cannotRun(command string, status int) {
	c := t.command([]string{command})
	t.endsWith(c, status)
	if err := c.tasks[0].err.String(); !strings.Contains(err, "berth-init: ") {
		t.Errorf("berth-init's line is not on stderr: %q", clip(err))
	}
}
