package callers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// podmanCluster and dockerCluster are the nodes where jobs come from, of clusters of Slurm 24.11 with two nodes, set
// up by the second part of a document.
func podmanCluster(t testing.TB) *node { return inFrontOfSlurm(t, "podman.md") }

func dockerCluster(t testing.TB) *node { return inFrontOfSlurm(t, "docker.md") }

const slurmPart = "In front of a Slurm cluster"

func inFrontOfSlurm(t testing.TB, doc string) *node {
	t.Helper()
	return shared(t, "in front of Slurm, "+doc, func(t testing.TB) *node { return startCluster(t, doc) })
}

func startCluster(t testing.TB, doc string) *node {
	t.Helper()
	needRoot(t)
	const root = "/var/cache/berth-test/trixie"
	for _, dir := range []string{root, root + "-podman"} {
		if _, err := os.Stat(dir); err != nil {
			lacking(t, dir)
		}
	}
	n := startNode(t, cluster.Options{Root: root, Below: []string{root + "-podman"}, Nodes: 2, Shared: sharedDir(t)})
	d := part(t, doc, slurmPart)
	n.install(t, d)
	check(t, n.cluster.Node(1).WriteFile(berthToml, d.files[berthToml], 0o644))
	for _, each := range n.cluster.Nodes() {
		check(t, each.Configure(context.Background()))
	}
	return n
}

const berthToml = "/etc/berth/berth.toml"

// sharedDir makes the directory that all nodes have.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/run", "berth-callers-*") // which outlives nothing
	check(t, err)
	check(t, os.Chmod(dir, 0o777|os.ModeSticky))
	return dir
}

// removeShared removes that directory. What the driver has left there is an error.
func (n *node) removeShared() error {
	if n.shared == "" {
		return nil
	}
	left, err := filepath.Glob(n.shared + "/*")
	if len(left) > 0 {
		err = errors.New("left in the shared directory: " + strings.Join(left, ", "))
	}
	return errors.Join(err, os.RemoveAll(n.shared))
}

func TestPodmanClusterDocument(t *testing.T) {
	n := podmanCluster(t)
	t.Parallel()
	podman(cluster.User, "slurm", "slurm")(t, n)
	n.follow(t, part(t, "podman.md", slurmPart))
}

func TestDockerClusterDocument(t *testing.T) {
	n := dockerCluster(t)
	t.Parallel()
	e := docker(cluster.User, "slurm", "slurm")(t, n)
	n.follow(t, part(t, "docker.md", slurmPart), e.env...)
}

// eachJob runs a test with the engines whose containers are jobs.
func eachJob(t *testing.T, f func(t *testing.T, e *engine)) { eachOf(t, "/slurm$", f) }

// job is the number of a container's job, which has its name.
func (c *container) job() (id string) {
	c.t.Helper()
	await.Rarely(c.t, func() string { return "a job" }, func() bool {
		id = strings.TrimSpace(c.asRoot(c.t, "squeue", "--noheader", "--format=%A", "--name="+c.token))
		return id != ""
	})
	return id
}

// named has a container's job be found by the container's name.
func (c *container) named() { c.options = append(c.options, "-e", "BERTH_SLURM_JOB_NAME="+c.token) }

// A job that scancel ends is a container that has ended.
func TestCancelledJob(t *testing.T) {
	eachJob(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		c.named()
		c.start(":")
		c.asRoot(t, "scancel", c.job())
		if status := strings.TrimSpace(c.ok(t, "wait", c.token)); status == "0" {
			t.Errorf("status %s", status)
		}
		if state := c.inspect(".State.Status"); state != "exited" {
			t.Errorf("cancelled, and %s", state)
		}
		c.ok(t, "rm", c.token)
	})
}

// rm --force ends the job.
func TestRemovedJob(t *testing.T) {
	eachJob(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		c.named()
		c.start(":")
		c.job()
		c.ok(t, "kill", c.token)
		c.ok(t, "rm", "--force", c.token)
		await.Rarely(t, func() string { return "the job's end" }, func() bool {
			return c.asRoot(t, "squeue", "--noheader", "--name="+c.token) == ""
		})
	})
}

// What only the compute node could do is refused, with the reason.
func TestNotOfJobs(t *testing.T) {
	eachJob(t, func(t *testing.T, e *engine) {
		c := e.container(t)
		c.start(":")
		if r := c.do(t, "pause", c.token); r.status == 0 || e.docker && !strings.Contains(r.stderr, `driver "slurm"`) {
			t.Errorf("pause: %+v", r)
		}
	})
}

// While nobody answers for the cluster, podman says so, and afterwards everything can be cleared away.
func TestControllerAway(t *testing.T) {
	t.Parallel()
	needRoot(t)
	n := startCluster(t, "podman.md")
	t.Cleanup(func() { check(t, n.close("without a controller")) })
	e := podman(cluster.User, "slurm", "slurm")(t, n)
	running := e.container(t)
	running.start(":")
	goOn, err := n.cluster.LoseController()
	check(t, err)
	c := e.container(t)
	if r := c.call(t, c.run("run", nil, "true")).begin().wait(); r.status == 0 || !strings.Contains(r.stderr, "srun: error: ") {
		t.Errorf("run: %+v", r)
	}
	running.do(t, "kill", running.token)
	check(t, goOn())
	await.Rarely(t, func() string { return "the container's end" }, func() bool {
		running.do(t, "kill", running.token)
		return running.inspect(".State.Status") == "exited"
	})
	running.ok(t, "rm", running.token)
}
