package callers

import (
	"fmt"
	"regexp"
	"strings"
	"testing"
)

// ofSrun is what srun says of a program that did not end with 0.
var ofSrun = regexp.MustCompile(`(?m)^srun: error: .*\n`)

func TestExitStatus(t *testing.T) {
	each(t, func(t *testing.T, e *engine) {
		for _, status := range []int{0, 42, 255} {
			c := e.container(t)
			r := c.call(t, c.run("run", []string{"--rm"}, "sh", "-c", fmt.Sprintf("echo out; echo err >&2; exit %d", status))).begin().wait()
			if r.status != status || r.stdout != "out\n" || ofSrun.ReplaceAllString(r.stderr, "") != "err\n" {
				t.Errorf("exit %d: %+v", status, r)
			}
		}
	})
}

// A command that is not there is 127, and one that cannot be executed 126. Docker 20.10 knows that by the words
// of runc: with crun, bare or not, it is 125.
func TestCommandThatIsNone(t *testing.T) {
	each(t, func(t *testing.T, e *engine) {
		if e.docker && e.driver != "slurm" {
			e.options = append([]string{"--runtime=berth-runc"}, e.options[1:]...)
		}
		for command, status := range map[string]int{"no-such-command": 127, "/no/such/command": 127, "/etc/passwd": 126, "/etc": 126} {
			c := e.container(t)
			r := c.call(t, c.run("run", []string{"--rm"}, command)).begin().wait()
			if r.status != status || r.stdout != "" {
				t.Errorf("%s: %+v", command, r)
			}
		}
	})
}

func TestStdin(t *testing.T) {
	each(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		text := strings.Repeat("0123456789abcdef\n", 20_000)
		with := c.run("run", []string{"--rm", "-i"}, "cat")
		with.stdin = strings.NewReader(text)
		if r := c.call(t, with).begin().wait(); r.status != 0 || r.stdout != text || r.stderr != "" {
			t.Errorf("status %d, %d bytes of %d, %q", r.status, len(r.stdout), len(text), r.stderr)
		}
	})
}

// What the user asks of podman or docker is what the program sees.
func TestEnvironment(t *testing.T) {
	each(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		script := `echo "$A"; pwd; id -u`
		options := []string{"--rm", "-e", "A=b  c", "-w", "/tmp"}
		if r := c.call(t, c.run("run", options, "sh", "-c", script)).begin().wait(); r.status != 0 || r.stdout != "b  c\n/tmp\n0\n" {
			if e.driver != "charliecloud" { // whose programs are the user himself
				t.Errorf("%+v", r)
			}
		}
	})
}

// The program that podman run or docker run waits for dies of a signal.
func TestKilled(t *testing.T) {
	each(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		r := c.call(t, c.run("run", nil, "sh", "-c", "echo ready; exec sleep 100000")).begin()
		r.says("ready")
		c.ok(t, "kill", c.token)
		if r := r.wait(); r.status != 137 {
			t.Errorf("%+v", r)
		}
		if status := c.inspect(".State.ExitCode"); status != "137" {
			t.Errorf("status %s", status)
		}
	})
}
