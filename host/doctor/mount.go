package doctor

import (
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// mount is one line of /proc/self/mountinfo (proc_pid_mountinfo(5)).
type mount struct {
	id     uint64
	point  string
	kind   string   // type of the file system
	source []string // options of the file system, not of the mount
}

// mounts returns the mounts that this process sees, in the order in which they were made.
func (n *Node) mounts() []mount {
	var mounts []mount
	for entry := range strings.Lines(n.read("proc/self/mountinfo")) {
		// The optional fields in the middle end with a lone "-".
		front, back, ok := strings.Cut(strings.TrimSpace(entry), " - ")
		left, right := strings.Fields(front), strings.Fields(back)
		if !ok || len(left) < 6 || len(right) < 2 {
			continue
		}
		id, err := strconv.ParseUint(left[0], 10, 64)
		if err != nil {
			continue
		}
		m := mount{id: id, point: unescape(left[4]), kind: right[0]}
		if len(right) > 2 {
			m.source = strings.Split(right[2], ",")
		}
		mounts = append(mounts, m)
	}
	return mounts
}

// unescape replaces the kernel's \040 for white space and backslashes.
func unescape(field string) string {
	return strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`).Replace(field)
}

// option returns the value of a file system's option.
func (m mount) option(name string) (value string, ok bool) {
	for _, option := range m.source {
		if value, ok := strings.CutPrefix(option, name+"="); ok {
			return value, true
		}
	}
	return "", false
}

// mountPoint returns where the file system of a path is mounted; the path itself where that cannot be
// told.
func (n *Node) mountPoint(path string) string {
	var st unix.Statx_t
	if err := unix.Statx(unix.AT_FDCWD, path, 0, unix.STATX_MNT_ID, &st); err != nil {
		return path
	}
	for _, m := range n.mounts() {
		if m.id == st.Mnt_id {
			return m.point
		}
	}
	return path
}

// mountedWith says whether the mount that a path is on has a flag, such as unix.ST_NOEXEC.
func mountedWith(path string, flag int64) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && st.Flags&flag != 0
}
