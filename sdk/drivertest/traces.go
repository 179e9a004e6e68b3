package drivertest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/procfs"
)

// reportLeftovers reports what is left of a container that has been deleted, and removes what it
// can, so that the next case does not suffer.
func (c *container) reportLeftovers() {
	var left []string
	if !c.t.within(5*time.Second, func() bool { left = c.leftProcesses(); return len(left) == 0 }) {
		c.t.Errorf("processes left behind: %s", strings.Join(left, "; "))
		c.killLeft()
	}
	// A killed process closes its sockets when the last of its threads ends, and shows as dead with the first.
	c.t.within(5*time.Second, func() bool { return len(c.leftSockets()) == 0 })
	for what, found := range map[string][]string{
		"mounts":                     c.leftMounts(),
		"files in the root":          below(c.about.Root),
		"files beside the socket":    below(c.scratch()),
		"sockets":                    c.leftSockets(),
		"control groups":             c.leftCgroups(),
		"files new in the directory": c.leftFiles(),
	} {
		if len(found) > 0 {
			c.t.Errorf("%s left behind: %s", what, strings.Join(found, "; "))
		}
	}
}

func (c *container) leftProcesses() []string {
	var left []string
	for _, p := range procfs.List() {
		if !p.Dead && c.belongs(p) {
			left = append(left, fmt.Sprintf("%d (%s)", p.Pid, clip(strings.Join(p.Args, " "))))
		}
	}
	return left
}

func (c *container) killLeft() {
	for _, p := range procfs.List() {
		if !p.Dead && c.belongs(p) {
			if process, err := os.FindProcess(p.Pid); err == nil {
				_ = process.Kill()
			}
		}
	}
}

// leftMounts are the mounts that this process sees below the container's directory
// (proc_pid_mountinfo(5)).
func (c *container) leftMounts() []string {
	return linesWith("/proc/self/mountinfo", c.dir+"/", 4)
}

// leftSockets are the unix sockets bound below the container's directory (proc_net_unix(5)).
func (c *container) leftSockets() []string {
	return linesWith("/proc/net/unix", c.dir+"/", 7)
}

// linesWith returns one field of each line of a file that contains text.
func linesWith(file, text string, field int) []string {
	data, _ := os.ReadFile(file)
	var found []string
	for line := range strings.Lines(string(data)) {
		if fields := strings.Fields(line); strings.Contains(line, text) && len(fields) > field {
			found = append(found, fields[field])
		}
	}
	return found
}

// leftCgroups are the control groups named for the container, in both layouts (cgroups(7)).
func (c *container) leftCgroups() []string {
	var found []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err == nil && d.IsDir() && strings.Contains(d.Name(), c.about.ID) && isCgroup(path) {
			found = append(found, path)
		}
		return nil
	})
	return found
}

func isCgroup(dir string) bool {
	var fs unix.Statfs_t
	err := unix.Statfs(dir, &fs)
	return err == nil && (fs.Type == unix.CGROUP_SUPER_MAGIC || fs.Type == unix.CGROUP2_SUPER_MAGIC)
}

// leftFiles are entries of the container's own directory that the kit did not make.
func (c *container) leftFiles() []string {
	var found []string
	entries, _ := os.ReadDir(c.dir)
	for _, e := range entries {
		name := strings.TrimRight(e.Name(), "0123456789")
		switch name {
		case "bundle", "root", "s", "shared", "request", "answer", "kit-":
		default:
			found = append(found, e.Name())
		}
	}
	return found
}

// below lists what is in a directory.
func below(dir string) []string {
	var found []string
	_ = filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		if err == nil && path != dir {
			found = append(found, strings.TrimPrefix(path, dir+"/"))
		}
		return nil
	})
	return found
}
