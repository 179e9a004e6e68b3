package main

import (
	"fmt"
	"os"
	"os/user"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// identity is whom the job runs as: the caller as the cluster knows him.
type identity struct{ uid, gid int }

// caller is the identity of this process. Root of a user namespace, which rootless podman makes, is
// somebody else outside; everybody else is who he seems to be, also in a namespace that maps him back.
func caller() identity {
	return identity{outside(os.Geteuid(), "/proc/self/uid_map"), outside(os.Getegid(), "/proc/self/gid_map")}
}

// outside is what root of this user namespace is in the one around it, by user_namespaces(7).
func outside(id int, file string) int {
	if id != 0 {
		return id
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return id
	}
	return mappedTo(id, string(text))
}

func mappedTo(id int, table string) int {
	for line := range strings.Lines(table) {
		var inside, out, size int
		if _, err := fmt.Sscan(line, &inside, &out, &size); err == nil && id >= inside && id-inside < size {
			return out + id - inside
		}
	}
	return id
}

// isRoot says whether the job would be root's.
func (i identity) isRoot() bool { return i.uid == 0 }

// checkRoot refuses root's containers, unless the site lets root run jobs.
func (d *driver) checkRoot() error {
	if !d.who().isRoot() || d.settings.AllowRoot {
		return nil
	}
	return sdk.WithAdvice(
		sdk.Mark(fmt.Errorf("root's containers are not run as jobs"), sdk.ErrUnavailable),
		"run it as an ordinary user, or let root run jobs: allow_root = true in [drivers.slurm] of berth.toml")
}

// home is the user's home directory.
func (d *driver) home() (string, error) {
	if dir := os.Getenv("HOME"); dir != "" {
		return dir, nil
	}
	u, err := user.LookupId(strconv.Itoa(d.who().uid))
	if err != nil || u.HomeDir == "" {
		return "", sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("setting shared_dir: HOME is not set, and nobody knows the home directory of uid %d", d.who().uid), sdk.ErrUnavailable),
			"name a directory as shared_dir in [drivers.slurm] of berth.toml")
	}
	return u.HomeDir, nil
}
