package dispatch

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Processes lists the pids, in this process's pid namespace, of everything that runs in a container, in
// order. sdk.ErrState: it has stopped.
func (h *Host) Processes(id string) ([]int, error) {
	first, err := h.running(id)
	if err != nil {
		return nil, err
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	shares := ownNamespaces(first)
	pids := []int{first}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid != first && shares(pid) {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
}

// running returns the pid of a container's first process. sdk.ErrState: it has stopped, said in the words
// by which callers know that.
func (h *Host) running(id string) (int, error) {
	state, err := h.State(id)
	if err != nil {
		return 0, err
	}
	if state.Status == specs.StateStopped || state.Pid <= 0 {
		return 0, sdk.Mark(fmt.Errorf("container %q is %s: container not running", id, state.Status), sdk.ErrState)
	}
	return state.Pid, nil
}

// ownNamespaces says of processes whether they share a mount or pid namespace with the first one, that
// the first one does not share with us (namespaces(7)).
func ownNamespaces(first int) func(pid int) bool {
	var own []string
	for _, kind := range [...]string{"mnt", "pid"} {
		theirs, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", first, kind))
		ours, ourErr := os.Readlink("/proc/self/ns/" + kind)
		if err == nil && ourErr == nil && theirs != ours {
			own = append(own, kind, theirs)
		}
	}
	return func(pid int) bool {
		for kind := range slices.Chunk(own, 2) {
			if ns, err := os.Readlink(fmt.Sprintf("/proc/%d/ns/%s", pid, kind[0])); err == nil && ns == kind[1] {
				return true
			}
		}
		return false
	}
}
