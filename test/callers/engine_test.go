package callers

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// engine is podman or docker, as one user of a node calls it with one runtime. The two have the same
// commands.
type engine struct {
	*node
	who     string
	docker  bool
	args    []string // the program and its options
	options []string // of every run
	env     []string
	driver  string // "" for a bare runtime
}

// A bare runtime passes the same tests: what fails with it is no fault of berth.
var engines = [...]struct {
	name string
	node func(testing.TB) *node
	make func(testing.TB, *node) *engine
}{
	{"podman/bare", local, podman(cluster.User, "crun", "")},
	{"podman/crun", local, podman(cluster.User, "berth-crun", "crun")},
	{"podman/runc", local, podman(cluster.User, "berth-runc", "runc")},
	{"podman/charliecloud", local, podman(cluster.User, "berth-charliecloud", "charliecloud")},
	{"podman/slurm", podmanCluster, podman(cluster.User, "slurm", "slurm")},
	{"podman as root/crun", local, podman("root", "berth-crun", "crun")},
	{"podman as root/runc", local, podman("root", "berth-runc", "runc")},
	{"docker/crun", local, docker(cluster.User, "berth", "crun")},
	{"docker/slurm", dockerCluster, docker(cluster.User, "slurm", "slurm")},
	{"docker as root/crun", local, docker("root", "berth", "crun")},
}

// each runs a test with every engine, side by side.
func each(t *testing.T, f func(t *testing.T, e *engine)) { eachOf(t, "", f) }

// eachOf runs a test with the engines whose names match, for what the others cannot do.
func eachOf(t *testing.T, names string, f func(t *testing.T, e *engine)) {
	needRoot(t)
	t.Parallel()
	for _, one := range engines {
		if !regexp.MustCompile(names).MatchString(one.name) {
			continue
		}
		t.Run(one.name, func(t *testing.T) {
			n := one.node(t)
			t.Parallel()
			f(t, one.make(t, n))
		})
	}
}

// podman makes an engine of a user's podman, with a runtime of containers.conf.
func podman(who, runtime, driver string) func(testing.TB, *node) *engine {
	return func(t testing.TB, n *node) *engine {
		e := &engine{node: n, who: who, driver: driver, args: []string{"podman", "--runtime", runtime}, options: []string{"--network=none"}}
		switch driver {
		case "charliecloud":
			e.options = []string{"--network=host", "--security-opt=seccomp=unconfined"} // it knows no filters and no networks
		case "slurm":
			e.options = nil // the document's are enough
		}
		n.once(t, "podman of "+who, func() error {
			_, err := n.Output(context.Background(), who, "env", "XDG_RUNTIME_DIR="+n.xdg(who), "podman", "import", "/srv/alpine.tar", alpine)
			return err
		})
		return e
	}
}

// alpine is the image's name: a short one is looked for there.
const alpine = "docker.io/library/alpine"

// xdg is a user's XDG_RUNTIME_DIR; root has none.
func (n *node) xdg(who string) string {
	if who == "root" {
		return ""
	}
	return n.runtimeDir()
}

// call prepares a call of the engine.
func (e *engine) call(t testing.TB, c call) *running {
	r := e.as(t, e.who, slices.Concat(e.env, c.env), slices.Concat(e.args, c.args)...)
	r.cmd.Stdin = c.stdin
	return r
}

// do makes a call and waits for its end.
func (e *engine) do(t testing.TB, args ...string) result {
	t.Helper()
	return e.call(t, call{args: args}).begin().wait()
}

// ok makes a call that has to succeed, and returns its stdout.
func (e *engine) ok(t testing.TB, args ...string) string {
	t.Helper()
	r := e.do(t, args...)
	if r.status != 0 || r.stderr != "" {
		t.Fatalf("%q: %+v", args, r)
	}
	return r.stdout
}

// container is a container that a test makes.
type container struct {
	*engine
	t     testing.TB
	token string // its name, and in its environment
}

// container makes up a container. At the test's end it is removed, and nothing of it may be left.
func (e *engine) container(t testing.TB) *container {
	c := &container{engine: e, t: t, token: newToken()}
	t.Cleanup(c.close)
	return c
}

// run are the arguments that make the container: run or create with options, and the command.
func (c *container) run(verb string, options []string, command ...string) call {
	args := slices.Concat([]string{verb, "--name", c.token, "-e", "BERTH_TEST=" + c.token}, c.options, options, []string{"alpine"}, command)
	return call{args: args, env: []string{"BERTH_TEST=" + c.token}}
}

// start starts a container in the background that says so and waits for signals.
func (c *container) start(script string) {
	c.t.Helper()
	r := c.call(c.t, c.run("run", []string{"-d"}, "sh", "-c", script+"; echo ready; exec sleep 100000")).begin().wait()
	if r.status != 0 || r.stderr != "" {
		c.t.Fatalf("run -d: %+v", r)
	}
	c.logs("ready", 1)
}

// logs waits until the container's log has a word so many times.
func (c *container) logs(word string, times int) {
	c.t.Helper()
	var last result
	await.Rarely(c.t, func() string { return word + " in the log: " + last.stdout + last.stderr }, func() bool {
		last = c.do(c.t, "logs", c.token)
		return strings.Count(last.stdout, word) >= times
	})
}

// inspect is a field of the container as the engine knows it.
func (c *container) inspect(field string) string {
	c.t.Helper()
	return strings.TrimSpace(c.ok(c.t, "inspect", "--format", "{{"+field+"}}", c.token))
}

func (c *container) close() {
	c.t.Helper()
	found := c.do(c.t, "inspect", "--format", "{{.Id}}", c.token)
	id := strings.TrimSpace(found.stdout)
	if found.status == 0 {
		c.do(c.t, "kill", c.token) // rm --force is polite for ten seconds
		c.do(c.t, "rm", "--force", c.token)
	}
	c.checkLeft(c.t, c.token, id)
}
