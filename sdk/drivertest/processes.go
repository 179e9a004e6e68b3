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
	for _, arg := range p.Args {
		if strings.Contains(arg, c.about.ID) || strings.Contains(arg, c.dir+"/") {
			return true
		}
	}
	env, _ := os.ReadFile(fmt.Sprintf("/proc/%d/environ", p.Pid))
	return slices.Contains(strings.Split(string(env), "\x00"), marker(c.about.ID))
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
	c.t.within(callTime, func() bool { pids = c.programs(); return len(pids) > 0 })
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
