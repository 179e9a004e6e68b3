package callers

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

// daemon is a dockerd.
type daemon struct {
	cmd   *exec.Cmd
	log   output
	ended chan error
}

// docker makes an engine of a user's docker, whose daemon the first test that needs it starts.
func docker(who, runtime, driver string) func(testing.TB, *node) *engine {
	return func(t testing.TB, n *node) *engine {
		e := &engine{node: n, who: who, docker: true, driver: driver, args: []string{"docker"}, options: []string{"--runtime=" + runtime, "--network=none"}}
		if who != "root" {
			e.env = []string{"DOCKER_HOST=unix://" + n.runtimeDir() + "/docker.sock"}
		}
		n.once(t, "docker of "+who, func() error { return n.startDocker(t, e) })
		return e
	}
}

// settings are the environment that the document gives the daemon of a user's own.
var settings = regexp.MustCompile(`(?m)^Environment="(.*)"$`)

func (n *node) startDocker(t testing.TB, e *engine) error {
	if n.shared == "" {
		n.install(t, part(t, "docker.md", "On the node"))
	}
	args := []string{"dockerd", "--iptables=false", "--bridge=none", "--oom-score-adjust=0"} // no network and no CAP_SYS_RESOURCE here
	if e.who != "root" {
		args = []string{"env"}
		unit, err := n.ReadFile("/home/" + e.who + "/.config/systemd/user/docker.service.d/override.conf")
		if err != nil {
			return err
		}
		for _, found := range settings.FindAllStringSubmatch(unit, -1) {
			args = append(args, found[1])
		}
		args = append(args, "/usr/share/docker.io/contrib/dockerd-rootless.sh")
	}
	args = append(args, "--storage-driver=vfs") // as in storage.conf
	r := n.as(t, e.who, nil, args...)
	d := &daemon{cmd: r.cmd, ended: make(chan error, 1)}
	d.cmd.Stdout, d.cmd.Stderr = &d.log, &d.log
	if err := d.cmd.Start(); err != nil {
		return err
	}
	go func() { d.ended <- d.cmd.Wait() }()
	n.daemons = append(n.daemons, d)
	socket := "/run/docker.sock"
	if e.who != "root" {
		socket = n.runtimeDir() + "/docker.sock"
	}
	await.True(t, func() string { return "dockerd of " + e.who + ": " + d.log.String() }, func() bool {
		_, err := os.Stat(n.Path(socket))
		return err == nil || len(d.ended) > 0
	})
	var out string
	var err error
	await.Rarely(t, func() string { return "dockerd of " + e.who + ": " + d.log.String() }, func() bool {
		out, err = n.docker(context.Background(), e, "import", "/srv/alpine.tar", "alpine")
		return err == nil || len(d.ended) > 0
	})
	if err != nil {
		return fmt.Errorf("starting dockerd of %s: %w: %s\n%s", e.who, err, out, d.log.String())
	}
	return nil
}

func (n *node) docker(ctx context.Context, e *engine, args ...string) (string, error) {
	cmd := n.Command(ctx, e.who, append([]string{"/usr/bin/docker"}, args...)...)
	cmd.Env = append(cmd.Env, e.env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

// stop ends the daemon with SIGTERM, and returns when it has ended. nsenter, which started it, passes no signal on.
func (d *daemon) stop() error {
	child := children(d.cmd.Process.Pid)
	if len(child) == 0 {
		return fmt.Errorf("dockerd has ended by itself: %s", d.log.String())
	}
	_ = unix.Kill(child[0], unix.SIGTERM)
	<-d.ended
	return nil
}

// children are the pids of a process's children.
func children(pid int) []int {
	var found []int
	for field := range strings.FieldsSeq(read(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))) {
		if child, err := strconv.Atoi(field); err == nil {
			found = append(found, child)
		}
	}
	return found
}
