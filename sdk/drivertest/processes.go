package drivertest

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/procfs"
)

// belongs says whether p has to do with the container: it carries its marker in its environment,
// or its ID or directory in its command line.
func (c *container) belongs(p procfs.Process) bool {
	return names(p, c.about.ID, c.dir) || slices.Contains(environ(p.Pid), marker(c.about.ID))
}

// belongs says whether p has to do with any of the case's containers.
func (t *trial) belongs(p procfs.Process) bool {
	isMarker := func(entry string) bool { return strings.HasPrefix(entry, marker(t.idPrefix())) }
	return names(p, t.idPrefix(), t.dir) || slices.ContainsFunc(environ(p.Pid), isMarker)
}

// names says whether p's command line has the ID in it, or the directory.
func names(p procfs.Process, id, dir string) bool {
	return slices.ContainsFunc(p.Args, func(arg string) bool { return strings.Contains(arg, id) || strings.Contains(arg, dir+"/") })
}

// environ is the environment that a process began with.
func environ(pid int) []string {
	text, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", pid))
	return strings.Split(string(text), "\x00")
}

// programs returns the node's pids of the container's own processes, those that run the probe.
func (c *container) programs() []int {
	var pids []int
	for _, p := range procfs.List() {
		if !p.Dead && p.Args[0] == probe.Name && c.belongs(p) {
			pids = append(pids, p.Pid)
		}
	}
	return pids
}

// program returns the node's pid of the container's one process.
func (c *container) program() int {
	var pids []int
	c.t.until(func() bool { pids = c.programs(); return len(pids) > 0 })
	if len(pids) != 1 {
		c.t.Fatalf("found %d processes of the container instead of one: %v", len(pids), pids)
	}
	return pids[0]
}

// isBelow says whether pid is ancestor or descends from it.
func isBelow(pid, ancestor int) bool {
	parents := map[int]int{}
	for _, p := range procfs.List() {
		parents[p.Pid] = p.Parent
	}
	for ; pid > 0; pid = parents[pid] {
		if pid == ancestor {
			return true
		}
	}
	return false
}
