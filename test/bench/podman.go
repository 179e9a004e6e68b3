package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// podman compares podman run with crun and with berth-oci's driver crun, and a container of podman's that is a
// job with the two things that it does: podman run with crun, and srun --container with the guide's
// template. Only root can start a cluster. It installs what "make build" has built.
func (c *caller) podman(rounds int) error {
	if os.Getuid() != 0 {
		return nil
	}
	ctx := context.Background()
	s, err := cluster.Start(ctx, cluster.Options{Root: slurmRoot, Below: []string{slurmRoot + "-podman"}, Programs: "bin"})
	if err != nil {
		return err
	}
	defer s.Close()
	p := podman{ctx: ctx, cluster: s, node: s.Node(0), runtimeDir: "/run/user/" + strconv.Itoa(s.UID())}
	if err := p.prepare(c.dir); err != nil {
		return err
	}
	if err := timed("podman run, crun", "user", rounds, p.way("crun", p.run("crun")), p.way("berth", p.run("/usr/local/bin/berth-oci-crun"))); err != nil {
		return err
	}
	for _, staging := range []string{"none", "shared"} {
		if err := p.configure(staging); err != nil {
			return err
		}
		bare := p.run("crun") + " && srun --container=/bundle /bin/true"
		if err := timed("podman run as a job, staging "+staging, "user", rounds, p.way("crun", bare), p.way("berth", p.run("/usr/local/bin/berth-oci-slurm"))); err != nil {
			return err
		}
	}
	return nil
}

// podman is a node of a cluster with podman.
type podman struct {
	ctx        context.Context
	cluster    *cluster.Cluster
	node       *cluster.Node
	runtimeDir string
	guide, own string // oci.conf
}

// prepare makes the node ready for an ordinary user with the bundle and the same as an image.
func (p *podman) prepare(bundle string) error {
	if out, err := exec.Command("cp", "-a", bundle, p.node.Path("/bundle")).CombinedOutput(); err != nil {
		return fmt.Errorf("copying the bundle: %w: %s", err, out)
	}
	for name, text := range map[string]string{
		"/etc/containers/storage.conf":    "[storage]\ndriver = \"vfs\"\nrunroot = \"/run/containers/storage\"\ngraphroot = \"/var/lib/containers/storage\"\n",
		"/etc/containers/containers.conf": "[engine]\ncgroup_manager = \"cgroupfs\"\nevents_logger = \"file\"\n[containers]\nnetns = \"host\"\nlog_driver = \"k8s-file\"\n",
	} {
		if err := p.node.WriteFile(name, text, 0o644); err != nil {
			return err
		}
	}
	for _, args := range [][]string{
		{"chown", "-R", cluster.User, "/bundle"},
		{"install", "-d", "-m", "755", filepath.Dir(p.runtimeDir)},
		{"install", "-d", "-m", "700", "-o", cluster.User, p.runtimeDir},
		{"install", "-d", "-m", "1777", "/srv/shared"},
		{"ln", "-s", "berth-oci", "/usr/local/bin/berth-oci-crun"},
		{"ln", "-s", "berth-oci", "/usr/local/bin/berth-oci-slurm"},
		{"install", "-d", "-m", "755", "/bundle/rootfs/etc"},
		{"tar", "--create", "--owner=0", "--group=0", "--file=/srv/image.tar", "--directory=/bundle/rootfs", "."},
	} {
		if _, err := p.node.Output(p.ctx, "root", args...); err != nil {
			return err
		}
	}
	if err := p.configure("none"); err != nil {
		return err
	}
	if err := p.node.Configure(p.ctx); err != nil {
		return err
	}
	p.guide = cluster.GuideOCI("crun")
	var err error
	if p.own, err = p.node.ReadFile("/etc/slurm/oci.conf"); err != nil {
		return err
	}
	return p.shell("podman import /srv/image.tar localhost/image")
}

// configure writes berth.toml for a way in which images reach compute nodes. With "none" they see the
// user's storage.
func (p *podman) configure(staging string) error {
	text := fmt.Sprintf("default_driver = \"crun\"\n[drivers.slurm]\nstaging = %q\nshared_dir = \"/srv/shared\"\nshared_paths = [\"/home\"]\n", staging)
	return p.node.WriteFile("/etc/berth/berth.toml", text, 0o644)
}

func (p *podman) run(runtime string) string {
	return "podman --runtime " + runtime + " run --rm localhost/image /bin/true"
}

// way is a command line of the user's, with the oci.conf for it. slurmstepd reads that at the start of each step.
func (p *podman) way(oci, command string) way {
	conf := p.own
	if oci == "crun" {
		conf = p.guide
	}
	return way{
		ready: func() error {
			if err := p.cluster.WaitIdle(p.ctx); err != nil {
				return err
			}
			return p.node.WriteFile("/etc/slurm/oci.conf", conf, 0o644)
		},
		run: func(string) error { return p.shell(command) },
	}
}

// shell runs a command line as a user types it.
func (p *podman) shell(command string) error {
	_, err := p.node.Output(p.ctx, cluster.User, "env", "XDG_RUNTIME_DIR="+p.runtimeDir, "PODMAN_IGNORE_CGROUPSV1_WARNING=yes", "sh", "-c", command)
	return err
}
