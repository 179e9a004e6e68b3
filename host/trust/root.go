package trust

import (
	"fmt"
	"os"
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

// RootOutside returns who uid and gid 0 of this user namespace are in the one around it: 0 in the initial
// one (user_namespaces(7), "User and group ID mappings"). Without /proc they are 0, too.
func RootOutside() (uid, gid int) {
	return zeroOutside("/proc/self/uid_map"), zeroOutside("/proc/self/gid_map")
}

func zeroOutside(file string) int {
	f, err := os.Open(file)
	if err != nil {
		return 0
	}
	defer f.Close()
	for {
		var inside, outside, count int
		if _, err := fmt.Fscan(f, &inside, &outside, &count); err != nil {
			return 0
		}
		if inside == 0 {
			return outside
		}
	}
}

func fdPath(fd int) string { return "/proc/self/fd/" + strconv.Itoa(fd) }
