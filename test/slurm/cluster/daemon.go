package cluster

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
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

// stop ends the daemon with SIGTERM, and returns when it has ended.
func (d *daemon) stop() error {
	pid, err := d.pid()
	if err == nil {
		err = syscall.Kill(pid, syscall.SIGTERM)
	}
	if err != nil {
		select {
		case <-d.ended:
			return nil
		default:
			return fmt.Errorf("ending %s: %w", d.name, err)
		}
	}
	<-d.ended
	return nil
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
	return until(ctx, "munged", func() error {
		if _, err := os.Stat(n.Path(mungeSocket)); err != nil {
			return err
		}
		_, err := n.Output(ctx, "root", "munge", "--no-input", "--socket="+mungeSocket)
		return err
	})
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

// LoseController ends slurmctld and has Slurm's programs on the first node give up on it soon, until goOn starts
// it again.
func (c *Cluster) LoseController() (goOn func() error, err error) {
	const conf, soon = "/etc/slurm/slurm.conf", "MessageTimeout=2\n"
	n := c.nodes[0]
	patient, err := n.ReadFile(conf)
	if err == nil {
		err = c.StopController()
	}
	if err == nil {
		err = n.WriteFile(conf, patient+soon, 0o644)
	}
	return func() error { return errors.Join(n.WriteFile(conf, patient, 0o644), c.StartController()) }, err
}

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
