package callers

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// podmanCluster and dockerCluster are the nodes where jobs come from, of clusters of Slurm 24.11 with two nodes, set
// up by the second part of a document.
func podmanCluster(t testing.TB) *node { return inFrontOfSlurm(t, "podman.md") }

func dockerCluster(t testing.TB) *node { return inFrontOfSlurm(t, "docker.md") }

const slurmPart = "In front of a Slurm cluster"

func inFrontOfSlurm(t testing.TB, doc string) *node {
	t.Helper()
	needRoot(t)
	const root = "/var/cache/berth-test/trixie"
	for _, dir := range []string{root, root + "-podman"} {
		if _, err := os.Stat(dir); err != nil {
			lacking(t, dir)
		}
	}
	return shared(t, "in front of Slurm, "+doc, func(t testing.TB) *node {
		n := startNode(t, cluster.Options{Root: root, Below: []string{root + "-podman"}, Nodes: 2, Shared: sharedDir(t)})
		d := part(t, doc, slurmPart)
		n.install(t, d)
		check(t, n.cluster.Node(1).WriteFile(berthToml, d.files[berthToml], 0o644))
		ctx, cancel := context.WithTimeout(context.Background(), patience)
		defer cancel()
		for _, each := range n.cluster.Nodes() {
			check(t, each.Configure(ctx))
		}
		return n
	})
}

const berthToml = "/etc/berth/berth.toml"

// sharedDir makes the directory that all nodes have.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth-callers-*")
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
