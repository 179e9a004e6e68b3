package trust

import (
	"strconv"

	"golang.org/x/sys/unix"
)

// SeenRoot returns the uid as which this process sees the node's root: 0, unless it runs in a user
// namespace that does not map it; there the kernel shows the overflow uid, 65534 (user_namespaces(7),
// "Unmapped user and group IDs"). Without /proc it is 0, the strict answer.
func SeenRoot() int {
	var st unix.Stat_t
	// The files below /proc/sys/kernel belong to the initial namespace's uid 0 whoever mounted
	// that /proc.
	if err := unix.Stat("/proc/sys/kernel/overflowuid", &st); err != nil {
		return 0
	}
	return int(st.Uid)
}

func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
