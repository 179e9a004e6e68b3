package cluster

import (
	"bufio"
	"context"
	_ "embed"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
)

// script becomes process 1 of a node.
//
//go:embed node
var script string

// Node is a node of a cluster: a root filesystem, a host name and a set of processes of its own.
type Node struct {
	Name string

	cluster *Cluster
	holder  *exec.Cmd
	stdin   io.Closer // the node ends with it
	pid     int       // of its process 1, on this machine
	slurmd  *daemon
}

// work is where a node's file systems are mounted, in its own mount namespace: nothing of it is seen outside.
const work = "/mnt"

func startNode(ctx context.Context, c *Cluster, i int, o Options) (*Node, error) {
	n := &Node{Name: nodeName(i), cluster: c}
	if err := n.start(ctx, i, o); err != nil {
		return nil, errors.Join(err, n.close())
	}
	return n, nil
}

func (n *Node) start(ctx context.Context, i int, o Options) error {
	args := []string{"unshare", "--mount", "--propagation", "private", "--pid", "--fork", "--kill-child", "--uts", "--ipc"}
	if i == 0 {
		args = append(args, "--net")
	} else {
		// All nodes share one loopback.
		args = append([]string{"nsenter", "--net=/proc/" + strconv.Itoa(n.cluster.nodes[0].pid) + "/ns/net"}, args...)
	}
	args = append(args, "bash", "-c", script, "node", strings.Join(append([]string{o.Root}, o.Below...), ":"), work, n.Name, strconv.Itoa(n.cluster.uid), strconv.Itoa(n.cluster.gid), o.Image, o.Shared)
	n.holder = exec.Command(args[0], args[1:]...)
	n.holder.Env = environment("root")
	var complaints strings.Builder
	n.holder.Stderr = &complaints
	stdin, err := n.holder.StdinPipe()
	if err != nil {
		return err
	}
	n.stdin = stdin
	stdout, err := n.holder.StdoutPipe()
	if err != nil {
		return err
	}
	if err := n.holder.Start(); err != nil {
		n.holder = nil
		return err
	}
	defer context.AfterFunc(ctx, func() { _ = n.holder.Process.Kill() })()
	line, err := bufio.NewReader(stdout).ReadString('\n')
	if err != nil {
		return fmt.Errorf("%w: %s", err, complaints.String())
	}
	n.pid, err = strconv.Atoi(strings.TrimSpace(line))
	return err
}

// Path is where this machine finds a file of the node. Absolute links in the node's file system do
// not lead there.
func (n *Node) Path(file string) string {
	return filepath.Join("/proc", strconv.Itoa(n.pid), "root", file)
}

// WriteFile makes or replaces a file of the node, and the directories above it. It belongs to root.
func (n *Node) WriteFile(file, text string, mode os.FileMode) error {
	path := n.Path(file)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	_ = os.Remove(path)
	if err := os.WriteFile(path, []byte(text), mode); err != nil {
		return err
	}
	return os.Chmod(path, mode) // whatever the umask
}

// ReadFile reads a file of the node.
func (n *Node) ReadFile(file string) (string, error) {
	text, err := os.ReadFile(n.Path(file))
	return string(text), err
}

// close ends all processes of the node, and returns when they have ended: they cannot outlive its process 1.
func (n *Node) close() error {
	if n.holder != nil {
		_ = n.stdin.Close()
		_ = n.holder.Wait() // its status says nothing
		n.holder = nil
	}
	return nil
}
