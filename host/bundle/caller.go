package bundle

import (
	"bufio"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// Caller is who the container belongs to.
type Caller struct {
	UID, GID      int
	Groups        []int // supplementary groups
	InitialUserns bool  // in the user namespace that the node booted with

	// SubUIDs and SubGIDs are further ids that may be mapped into a container: an ordinary
	// user's subordinate ids (subuid(5)), or the others that exist in the caller's user
	// namespace.
	SubUIDs, SubGIDs []Range
}

// CurrentCaller describes this process. Subordinate ids count only where the runtime will be able
// to map them: newuidmap and newgidmap are installed and may gain privileges. They are read from
// /etc/subuid and /etc/subgid.
func CurrentCaller() (Caller, error) {
	c := Caller{UID: os.Geteuid(), GID: os.Getegid()}
	var err error
	if c.Groups, err = os.Getgroups(); err != nil {
		return c, fmt.Errorf("reading the process's groups: %w", err)
	}
	uids, err := mappedIDs("/proc/self/uid_map")
	if err != nil {
		return c, err
	}
	gids, err := mappedIDs("/proc/self/gid_map")
	if err != nil {
		return c, err
	}
	c.InitialUserns = len(uids) == 1 && uids[0] == Range{0, 1<<32 - 1}
	switch {
	case !c.InitialUserns && c.UID == 0:
		c.SubUIDs, c.SubGIDs = without(uids, c.UID), without(gids, c.GID)
	case c.InitialUserns && c.UID != 0 && canMapSubordinates():
		name := ""
		if u, err := user.Current(); err == nil {
			name = u.Username
		}
		c.SubUIDs = subordinates("/etc/subuid", name, c.UID)
		c.SubGIDs = subordinates("/etc/subgid", name, c.UID)
	}
	return c, nil
}

// mappedIDs returns the ids that exist in this user namespace (user_namespaces(7)).
func mappedIDs(file string) ([]Range, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading this user namespace's ids: %w", err)
	}
	var ranges []Range
	for line := range strings.Lines(string(data)) {
		var inside, outside, count int
		if _, err := fmt.Sscan(line, &inside, &outside, &count); err != nil {
			return nil, fmt.Errorf("reading this user namespace's ids: %s: %w", file, err)
		}
		ranges = append(ranges, Range{inside, count})
	}
	return ranges, nil
}

// canMapSubordinates says whether a runtime started from here can map more than the caller's own
// id: the two programs are setuid, which no_new_privs makes void.
func canMapSubordinates() bool {
	if set, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || set != 0 {
		return false
	}
	for _, name := range [...]string{"newuidmap", "newgidmap"} {
		if _, err := exec.LookPath(name); err != nil {
			return false
		}
	}
	return true
}

// subordinates returns the ranges of one user, named by name or number, in the order of the file.
// A file that is missing grants none.
func subordinates(file, name string, uid int) []Range {
	f, err := os.Open(file)
	if err != nil {
		return nil
	}
	defer f.Close()
	var ranges []Range
	for lines := bufio.NewScanner(f); lines.Scan(); {
		fields := strings.Split(strings.TrimSpace(lines.Text()), ":")
		if len(fields) != 3 || fields[0] == "" || fields[0] != name && fields[0] != strconv.Itoa(uid) {
			continue
		}
		first, err1 := strconv.ParseUint(fields[1], 10, 32)
		count, err2 := strconv.ParseUint(fields[2], 10, 32)
		if err1 == nil && err2 == nil && count > 0 && first+count <= 1<<32-1 {
			ranges = append(ranges, Range{int(first), int(count)})
		}
	}
	return ranges
}
