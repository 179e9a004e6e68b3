package cluster

import (
	"bytes"
	"context"
	"fmt"
	"os/exec"
	"strconv"
)

// Command is a command on the node, run by root or by User in a login's environment and, for User,
// in his home directory. What it starts in the background ends with the node at the latest.
func (n *Node) Command(ctx context.Context, who string, args ...string) *exec.Cmd {
	enter := []string{"--target", strconv.Itoa(n.pid), "--mount", "--pid", "--uts", "--ipc", "--net"}
	if who != "root" {
		enter = append(enter, "--wd=/proc/"+strconv.Itoa(n.pid)+"/root/home/"+who,
			"setpriv", "--reuid", who, "--regid", who, "--init-groups", "--inh-caps=-all")
	} else {
		enter = append(enter, "--wd=/proc/"+strconv.Itoa(n.pid)+"/root")
	}
	cmd := exec.CommandContext(ctx, "nsenter", append(enter, args...)...)
	cmd.Env = environment(who)
	return cmd
}

// Output runs a command on the node and returns its stdout.
func (n *Node) Output(ctx context.Context, who string, args ...string) (string, error) {
	cmd := n.Command(ctx, who, args...)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	if err := cmd.Run(); err != nil {
		return out.String(), fmt.Errorf("%q: %w: %s%s", args, err, &errs, &out)
	}
	return out.String(), nil
}

func environment(who string) []string {
	home := "/root"
	if who != "root" {
		home = "/home/" + who
	}
	return []string{
		"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "LANG=C.UTF-8",
		"HOME=" + home, "USER=" + who, "LOGNAME=" + who, "SHELL=/bin/sh",
	}
}
