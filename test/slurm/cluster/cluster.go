// Package cluster starts a whole Slurm on this machine: munged, slurmctld and slurmd in namespaces
// of their own, on private copies of a root filesystem. Nothing of it is seen by, or left on, the
// machine: what a node writes goes away with the node, and so does each of its processes.
package cluster

import (
	"context"
	"errors"
	"fmt"
	"os/user"
	"strconv"
	"strings"
	"time"
)

// User is the ordinary user of every node; the machine must have him.
const User = "berthtest"

// Image is where a node has Options.Image.
const Image = "/srv/image"

// Shared is where the nodes have Options.Shared.
const Shared = "/srv/shared"

// Options say what a cluster is made of.
type Options struct {
	Root     string            // root filesystem with Slurm's programs: "/", or one that test/slurm/rootfs made
	Below    []string          // further root filesystems, whose files the nodes have where Root has none
	Image    string            // directory of the machine that the nodes have, read-only, as Image; "" for none
	Shared   string            // directory of the machine that the nodes have as Shared, all of them the same; "" for none
	Nodes    int               // how many; 0 is one
	CPUs     int               // per node, as Slurm is told; 0 is 64
	Lines    []string          // added to slurm.conf
	Files    map[string]string // further files of /etc/slurm, executable
	OCI      string            // oci.conf; "" for none
	Programs string            // directory of berth's programs, which are installed below /usr/local; "" for none
	Config   string            // /etc/berth/berth.toml; "" for none
	Bare     bool              // the nodes alone, without a Slurm that runs
}

// Cluster is a running Slurm. Its methods may be called by several goroutines at once.
type Cluster struct {
	nodes      []*Node
	controller *daemon
	uid, gid   int
	version    string
}

// Start starts a cluster and returns when all of its nodes are idle, or with Options.Bare when they are
// there. The context bounds the start alone. The caller closes the cluster.
func Start(ctx context.Context, o Options) (*Cluster, error) {
	c := &Cluster{}
	if err := c.start(ctx, o); err != nil {
		err = fmt.Errorf("starting a Slurm cluster on %s: %w\n%s", o.Root, err, c.Logs())
		return nil, errors.Join(err, c.Close())
	}
	return c, nil
}

func (c *Cluster) start(ctx context.Context, o Options) error {
	if err := c.lookUpUser(); err != nil {
		return err
	}
	key, err := mungeKey()
	if err != nil {
		return err
	}
	conf := configure(o)
	for i := range max(o.Nodes, 1) {
		n, err := startNode(ctx, c, i, o)
		if err != nil {
			return fmt.Errorf("making node %s: %w", nodeName(i), err)
		}
		c.nodes = append(c.nodes, n)
		if err := n.furnish(conf, key, o); err != nil {
			return fmt.Errorf("furnishing node %s: %w", n.Name, err)
		}
	}
	if o.Bare {
		return nil
	}
	if c.version, err = c.nodes[0].Output(ctx, "root", "slurmd", "--version"); err != nil {
		return err
	}
	for i, n := range c.nodes {
		if err := n.startMunge(ctx); err != nil {
			return err
		}
		if i == 0 {
			if c.controller, err = n.startDaemon("slurmctld", "-D", "-i"); err != nil {
				return err
			}
		}
		if err := n.StartSlurmd(); err != nil {
			return err
		}
	}
	return c.WaitIdle(ctx)
}

func (c *Cluster) lookUpUser() error {
	u, err := user.Lookup(User)
	if err != nil {
		return err
	}
	c.uid, _ = strconv.Atoi(u.Uid)
	c.gid, _ = strconv.Atoi(u.Gid)
	return nil
}

// Node returns the i-th node. The first is also where the controller runs.
func (c *Cluster) Node(i int) *Node { return c.nodes[i] }

// Nodes returns all nodes.
func (c *Cluster) Nodes() []*Node { return c.nodes }

// UID is the uid of User.
func (c *Cluster) UID() int { return c.uid }

// GID is the gid of User.
func (c *Cluster) GID() int { return c.gid }

// Version is what slurmd calls itself, such as "slurm-wlm 22.05.8".
func (c *Cluster) Version() string { return strings.TrimSpace(c.version) }

// WaitIdle waits until every node is idle, neither drained nor completing a job.
func (c *Cluster) WaitIdle(ctx context.Context) error {
	return until(ctx, "idle nodes", func() error {
		states, err := c.States(ctx)
		if err == nil && (len(states) != len(c.nodes) || !all(states, "idle")) {
			err = fmt.Errorf("they are %q", states)
		}
		return err
	})
}

// States is the state of each node as sinfo writes it: "idle", "mix", "drain", "idle*" for one
// that does not answer.
func (c *Cluster) States(ctx context.Context) ([]string, error) {
	out, err := c.nodes[0].Output(ctx, "root", "sinfo", "--noheader", "--Node", "--partition=main", "--format=%t")
	return strings.Fields(out), err
}

// Close ends every process of the cluster and forgets its files. It is harmless to call it again.
func (c *Cluster) Close() error {
	var failed []error
	for _, n := range c.nodes {
		failed = append(failed, n.close())
	}
	c.nodes = nil
	return errors.Join(failed...)
}

func all(have []string, want string) bool {
	for _, s := range have {
		if s != want {
			return false
		}
	}
	return true
}

// until asks whether something holds until it does. It asks less and less often: each question to Slurm is a
// program to start.
func until(ctx context.Context, what string, holds func() error) error {
	for pause := 10 * time.Millisecond; ; pause = min(pause*3/2, time.Second) {
		err := holds()
		if err == nil {
			return nil
		}
		select {
		case <-ctx.Done():
			return fmt.Errorf("waiting for %s: %w: %w", what, context.Cause(ctx), err)
		case <-time.After(pause):
		}
	}
}
