package callers

import (
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
)

// create, start, a signal, stop, start again, rm.
func TestLifecycle(t *testing.T) {
	each(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		create := c.call(t, c.run("create", nil, "sh", "-c", `trap 'echo usr1' USR1; trap 'echo term; exit 7' TERM; echo ready; while :; do sleep 0.05; done`)).begin().wait()
		if create.status != 0 || create.stderr != "" {
			t.Fatalf("create: %+v", create)
		}
		for round := range 2 {
			c.ok(t, "start", c.token)
			c.logs("ready", round+1)
			if state := c.inspect(".State.Status"); state != "running" {
				t.Errorf("started, and %s", state)
			}
			c.ok(t, "kill", "--signal", "USR1", c.token)
			c.logs("usr1", round+1)
			c.ok(t, "stop", "--time", "3600", c.token) // it ends by itself
			c.logs("term", round+1)
			if got := c.inspect(".State.Status") + " " + c.inspect(".State.ExitCode"); got != "exited 7" {
				t.Errorf("stopped, and %s", got)
			}
			if status := strings.TrimSpace(c.ok(t, "wait", c.token)); status != "7" {
				t.Errorf("wait: %s", status)
			}
		}
		c.ok(t, "rm", c.token)
	})
}

// stop ends a program that does not listen to SIGTERM, and rm --force one that runs.
func TestStopByForce(t *testing.T) {
	each(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		c.start("trap '' TERM")
		c.do(t, "stop", "--time", "1", c.token)
		if got := c.inspect(".State.Status") + " " + c.inspect(".State.ExitCode"); got != "exited 137" {
			t.Errorf("stopped, and %s", got)
		}
		c.ok(t, "start", c.token)
		c.logs("ready", 2)
		rm := []string{"rm", "--force"}
		if !e.docker {
			rm = append(rm, "--time", "0") // as long as it is patient
		}
		c.do(t, append(rm, c.token)...)
		if r := c.do(t, "inspect", c.token); r.status == 0 {
			t.Error("removed, and still there")
		}
	})
}

// A container that was created and never started goes without a trace.
func TestNeverStarted(t *testing.T) {
	each(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		if r := c.call(t, c.run("create", nil, "true")).begin().wait(); r.status != 0 {
			t.Fatalf("create: %+v", r)
		}
		c.ok(t, "rm", c.token)
	})
}

func TestExec(t *testing.T) {
	each(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		c.start("touch /tmp/here")
		for _, one := range []struct {
			command []string
			stdin   string
			want    result
		}{
			{[]string{"sh", "-c", "echo out; echo err >&2; exit 3"}, "", result{3, "out\n", "err\n"}},
			{[]string{"ls", "/tmp"}, "", result{0, "here\n", ""}},
			{[]string{"cat"}, "words\n", result{0, "words\n", ""}},
		} {
			r := c.call(t, call{args: append([]string{"exec", "-i", c.token}, one.command...), stdin: strings.NewReader(one.stdin)}).begin().wait()
			r.stderr = ofSrun.ReplaceAllString(r.stderr, "")
			if r != one.want {
				t.Errorf("%q: %+v", one.command, r)
			}
		}
		status := 127
		switch { // docker knows 127 by runc's words, and of a job there is only crun's own status
		case e.driver == "slurm":
			status = 255
		case e.docker:
			status = 126
		}
		if r := c.do(t, "exec", c.token, "no-such-command"); r.status != status {
			t.Errorf("no-such-command: %+v", r)
		}
		c.ok(t, "exec", "-d", c.token, "sh", "-c", "echo done >/tmp/detached")
		await.Rarely(t, func() string { return "exec -d" }, func() bool {
			return c.do(t, "exec", c.token, "cat", "/tmp/detached").stdout == "done\n"
		})
	})
}

func TestTop(t *testing.T) {
	eachOf(t, "(bare|crun|runc)$", func(t *testing.T, e *engine) {
		c := e.container(t)
		c.start(":")
		if out := c.ok(t, "top", c.token); !strings.Contains(out, "sleep 100000") {
			t.Errorf("top: %q", out)
		}
	})
}

// Only root has cgroups here to freeze.
func TestPause(t *testing.T) {
	eachOf(t, "(bare|crun|runc)$", func(t *testing.T, e *engine) {
		c := e.container(t)
		c.start(":")
		if e.who != "root" {
			if r := c.do(t, "pause", c.token); r.status == 0 || r.stderr == "" {
				t.Errorf("pause: %+v", r)
			}
			return
		}
		c.ok(t, "pause", c.token)
		if state := c.inspect(".State.Status"); state != "paused" {
			t.Errorf("paused, and %s", state)
		}
		c.ok(t, "unpause", c.token)
		c.ok(t, "exec", c.token, "true")
	})
}

// Docker changes a limit of a running container. podman 4.3 cannot, and ordinary users have no cgroups here.
func TestUpdate(t *testing.T) {
	eachOf(t, "^docker as root/", func(t *testing.T, e *engine) {
		c := e.container(t)
		c.start(":")
		c.ok(t, "update", "--memory", "64m", "--memory-swap", "64m", c.token)
		if got := read("/sys/fs/cgroup/memory/docker/" + c.inspect(".Id") + "/memory.limit_in_bytes"); got != "67108864\n" {
			t.Errorf("the limit is %q", got)
		}
	})
}
