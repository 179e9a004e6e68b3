package drivertest

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/procfs"
)

// reportLeftovers reports what is left of the case's containers, which have been deleted, and ends what
// still runs, so that the next case does not suffer. The node is looked at once for all of them.
func (t *trial) reportLeftovers() {
	var left []procfs.Process
	if !t.until(func() bool { left = t.leftProcesses(); return len(left) == 0 }) {
		var names []string
		for _, p := range left {
			names = append(names, fmt.Sprintf("%d (%s)", p.Pid, clip(strings.Join(p.Args, " "))))
			if process, err := os.FindProcess(p.Pid); err == nil {
				_ = process.Kill()
			}
		}
		t.Errorf("processes left behind: %s", strings.Join(names, "; "))
	}
	// A killed process closes its sockets when the last of its threads ends, and shows as dead with the first.
	t.until(func() bool { return len(t.leftSockets()) == 0 })
	for what, found := range map[string][]string{
		"mounts":         t.leftMounts(),
		"sockets":        t.leftSockets(),
		"control groups": t.leftCgroups(),
	} {
		t.reportLeft(what, found)
	}
	for _, c := range t.containers {
		t.reportLeft("files in the root", below(c.about.Root))
		t.reportLeft("files beside the socket", below(c.scratch()))
		t.reportLeft("files new in the directory", c.leftFiles())
	}
}

func (t *trial) reportLeft(what string, found []string) {
	if len(found) > 0 {
		t.Errorf("%s left behind: %s", what, strings.Join(found, "; "))
	}
}

func (t *trial) leftProcesses() []procfs.Process {
	var left []procfs.Process
	for _, p := range procfs.List() {
		if !p.Dead && t.belongs(p) {
			left = append(left, p)
		}
	}
	return left
}

// leftMounts are the mounts that this process sees below the case's directory
// (proc_pid_mountinfo(5)).
func (t *trial) leftMounts() []string {
	return linesWith("/proc/self/mountinfo", t.dir+"/", 4)
}

// leftSockets are the unix sockets bound below the case's directory (proc_net_unix(5)).
func (t *trial) leftSockets() []string {
	return linesWith("/proc/net/unix", t.dir+"/", 7)
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

// leftCgroups are the control groups named for the case's containers, in both layouts (cgroups(7)).
func (t *trial) leftCgroups() []string {
	var found []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil || !d.IsDir():
			return nil
		case strings.Contains(d.Name(), t.idPrefix()) && isCgroup(path):
			found = append(found, path)
		case isLeaf(path):
			return fs.SkipDir
		}
		return nil
	})
	return found
}

// isLeaf says whether a directory has none in it, by its count of links: a control group has many files.
func isLeaf(dir string) bool {
	var st unix.Stat_t
	return unix.Lstat(dir, &st) == nil && st.Nlink == 2
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
