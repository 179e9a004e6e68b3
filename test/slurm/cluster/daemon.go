package cluster

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// daemon is a daemon in the foreground on a node.
type daemon struct {
	name  string
	cmd   *exec.Cmd // nsenter, which waits for it
	ended chan struct{}
}

// startDaemon starts a daemon that stays in the foreground. Its log is what it prints.
func (n *Node) startDaemon(name string, args ...string) (*daemon, error) {
	log, err := os.OpenFile(n.Path(logFile(name)), os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return nil, err
	}
	defer log.Close()
	d := &daemon{name: name, ended: make(chan struct{})}
	d.cmd = n.Command(context.Background(), "root", append([]string{name}, args...)...)
	// As a service manager would start it.
	d.cmd.Env = []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8"}
	d.cmd.Stdout, d.cmd.Stderr = log, log
	if err := d.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	go func() {
		_ = d.cmd.Wait()
		close(d.ended)
	}()
	return d, nil
}

func logFile(name string) string { return "/var/log/slurm/" + name + ".log" }

// stop ends the daemon with SIGTERM, or SIGKILL when it does not listen for ten seconds.
func (d *daemon) stop() error {
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL} {
		pid, err := d.pid()
		if err == nil {
			err = syscall.Kill(pid, sig)
		}
		if err != nil {
			select {
			case <-d.ended:
				return nil
			default:
				return fmt.Errorf("ending %s: %w", d.name, err)
			}
		}
		select {
		case <-d.ended:
			return nil
		case <-time.After(10 * time.Second):
		}
	}
	return fmt.Errorf("%s does not end", d.name)
}

// pid is the daemon's pid on this machine: nsenter's only child.
func (d *daemon) pid() (int, error) {
	self := strconv.Itoa(d.cmd.Process.Pid)
	text, err := os.ReadFile(filepath.Join("/proc", self, "task", self, "children"))
	if err != nil {
		return 0, err
	}
	return strconv.Atoi(strings.TrimSpace(string(text)))
}

// startMunge starts munged and waits until it answers.
func (n *Node) startMunge(ctx context.Context) error {
	// --force: root owns what usually belongs to the user munge.
	if _, err := n.startDaemon("munged", "--foreground", "--force", "--socket="+mungeSocket,
		"--pid-file=/run/munge/munged.pid", "--seed-file=/run/munge/seed", "--log-file="+logFile("munge")); err != nil {
		return err
	}
	for {
		_, err := n.Output(ctx, "root", "munge", "--no-input", "--socket="+mungeSocket)
		if err == nil {
			return nil
		}
		if pause(ctx) != nil {
			return fmt.Errorf("waiting for munged: %w", err)
		}
	}
}

// StartSlurmd starts the node's slurmd, which StopSlurmd ended.
func (n *Node) StartSlurmd() error {
	d, err := n.startDaemon("slurmd", "-D")
	n.slurmd = d
	return err
}

// StopSlurmd ends the node's slurmd. Running steps stay.
func (n *Node) StopSlurmd() error { return n.slurmd.stop() }

// StartController starts slurmctld, which StopController ended, with what it knew.
func (c *Cluster) StartController() (err error) {
	c.controller, err = c.nodes[0].startDaemon("slurmctld", "-D")
	return err
}

// StopController ends slurmctld. Jobs go on.
func (c *Cluster) StopController() error { return c.controller.stop() }

// SlurmdPid is the pid of the node's slurmd on this machine.
func (n *Node) SlurmdPid() (int, error) { return n.slurmd.pid() }

// Logs is the end of what the daemons of all nodes logged.
func (c *Cluster) Logs() string {
	const enough = 6000
	var b strings.Builder
	for _, n := range c.nodes {
		for _, name := range []string{"munged", "slurmctld", "slurmd"} {
			text, _ := n.ReadFile(logFile(name))
			if len(text) > enough {
				text = "…" + text[len(text)-enough:]
			}
			if text != "" {
				fmt.Fprintf(&b, "== %s on %s\n%s\n", name, n.Name, text)
			}
		}
	}
	return b.String()
}
