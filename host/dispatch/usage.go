package dispatch

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// Usage is what a container's control group counts. What the node's does not count is absent.
type Usage struct {
	CPU    CPUUsage    `json:"cpu"`
	Memory MemoryUsage `json:"memory"`
	Pids   PidsUsage   `json:"pids"`
}

// CPUUsage is time in nanoseconds.
type CPUUsage struct {
	Usage struct {
		Total uint64 `json:"total,omitempty"`
	} `json:"usage"`
}

// MemoryUsage is in bytes.
type MemoryUsage struct {
	Usage struct {
		Limit uint64 `json:"limit,omitempty"` // absent: none
		Usage uint64 `json:"usage,omitempty"`
		Max   uint64 `json:"max,omitempty"` // so far
	} `json:"usage"`
}

// PidsUsage counts processes and threads.
type PidsUsage struct {
	Current uint64 `json:"current,omitempty"`
	Limit   uint64 `json:"limit,omitempty"` // absent: none
}

// Usage reads what a running container uses. sdk.ErrState: it has stopped. sdk.ErrUnavailable: it has no
// control group of its own.
func (h *Host) Usage(id string) (*Usage, error) {
	pid, err := h.running(id)
	if err != nil {
		return nil, err
	}
	theirs, err := controlGroups(fmt.Sprintf("/proc/%d/cgroup", pid))
	if err != nil {
		return nil, fmt.Errorf("container %q: %w", id, err)
	}
	ours, err := controlGroups("/proc/self/cgroup")
	if err != nil {
		return nil, err
	}
	var u Usage
	read := func(controller, name string) uint64 { return number(theirs, ours, controller, name) }
	u.CPU.Usage.Total = max(read("cpuacct", "cpuacct.usage"), 1000*read("", "cpu.stat"))
	u.Memory.Usage.Usage = max(read("memory", "memory.usage_in_bytes"), read("", "memory.current"))
	u.Memory.Usage.Max = max(read("memory", "memory.max_usage_in_bytes"), read("", "memory.peak"))
	u.Memory.Usage.Limit = max(read("memory", "memory.limit_in_bytes"), read("", "memory.max"))
	u.Pids.Current = max(read("pids", "pids.current"), read("", "pids.current"))
	u.Pids.Limit = max(read("pids", "pids.max"), read("", "pids.max"))
	if u == (Usage{}) {
		return nil, sdk.Mark(fmt.Errorf("container %q has no control group of its own that counts", id), sdk.ErrUnavailable)
	}
	return &u, nil
}

// controlGroups reads the directories of a process's control groups by controller; "" is that of version
// 2 (cgroups(7), "/proc/pid/cgroup").
func controlGroups(file string) (map[string]string, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, sdk.Mark(fmt.Errorf("reading control groups: %w", err), sdk.ErrUnavailable)
	}
	groups := map[string]string{}
	for line := range strings.Lines(string(text)) {
		fields := strings.SplitN(strings.TrimSuffix(line, "\n"), ":", 3)
		if len(fields) != 3 {
			continue
		}
		for controller := range strings.SplitSeq(fields[1], ",") {
			groups[controller] = filepath.Join("/sys/fs/cgroup", controller, fields[2])
		}
	}
	return groups, nil
}

// number reads one count of the container's control group, 0 where it has none of its own. Of a file
// with several it is the first, "usage_usec" of cpu.stat.
func number(theirs, ours map[string]string, controller, name string) uint64 {
	dir := theirs[controller]
	if dir == "" || dir == ours[controller] {
		return 0
	}
	text, err := os.ReadFile(filepath.Join(dir, name))
	if err != nil {
		return 0
	}
	first, _, _ := strings.Cut(string(text), "\n")
	n, _ := strconv.ParseUint(strings.TrimPrefix(first, "usage_usec "), 10, 64) // "max": none
	return n
}
