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
	state, err := h.State(id)
	if err != nil {
		return nil, err
	}
	if state.Status == specs.StateStopped || state.Pid <= 0 {
		return nil, sdk.Mark(fmt.Errorf("container %q is %s", id, state.Status), sdk.ErrState)
	}
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return nil, fmt.Errorf("listing processes: %w", err)
	}
	shares := ownNamespaces(state.Pid)
	pids := []int{state.Pid}
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil && pid != state.Pid && shares(pid) {
			pids = append(pids, pid)
		}
	}
	slices.Sort(pids)
	return pids, nil
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
