package doctor

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"golang.org/x/sys/unix"
)

// cgroups looks at the layout of /sys/fs/cgroup.
func cgroups() check {
	const dropped = "with version 1 controllers beside version 2, every crun refuses every container; runc does not mind"
	const reboot = "grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1"
	hybrid := fault{
		when: "versions 1 and 2 are mounted beside each other (the hybrid layout)", status: StatusWarning,
		why: dropped, mend: "umount MOUNT",
	}
	hybridSystemd := fault{
		when: "the same, and systemd uses both", status: StatusWarning,
		why: dropped, mend: reboot,
	}
	old := fault{
		when: "only version 1 is mounted", status: StatusNote,
		why:  "runtimes and systemd are giving up version 1, and ordinary users can neither limit nor pause a container with it",
		mend: reboot,
	}
	none := fault{
		when: "no cgroup file system is mounted", status: StatusWarning,
		why:  "runtimes that root calls refuse containers without it, and nobody's containers can be paused",
		mend: "mount -t cgroup2 cgroup2 /sys/fs/cgroup",
	}
	closed := fault{
		when: "the caller's cgroup is not delegated to the caller", status: StatusNote,
		why:  "an ordinary user's containers stay in the caller's own cgroup, whose limits hold, and cannot be paused",
		mend: "systemd-run --user --scope --property Delegate=yes BERTH doctor",
	}
	return check{
		name: "cgroups", about: "Which versions of control groups are mounted, and whether the caller's is delegated.",
		faults: []fault{hybrid, hybridSystemd, old, none, closed},
		look: func(e *examination) {
			v1, v2 := e.cgroupMounts()
			switch {
			case len(v1) > 0 && v2 != "" && e.systemd():
				e.found(hybridSystemd, fmt.Sprintf("the cgroup layout is hybrid: version 2 at %s beside %d mounts of version 1", v2, len(v1)))
			case len(v1) > 0 && v2 != "":
				e.found(hybrid, fmt.Sprintf("the cgroup layout is hybrid: version 2 at %s beside %d mounts of version 1", v2, len(v1)), "MOUNT", quote(v2))
			case len(v1) > 0:
				e.found(old, fmt.Sprintf("the cgroup layout is version 1: %d mounts, %s", len(v1), freezer(v1)))
			case v2 == "":
				e.found(none, "no cgroup file system is mounted")
			case e.State.UID != 0 && !e.delegated(v2):
				e.found(closed, "the cgroup layout is version 2, without delegation to "+e.User, "BERTH", quote(e.Program))
			default:
				e.ok("the cgroup layout is version 2")
			}
		},
	}
}

// cgroupMounts returns the mounts of version 1 and the mount point of version 2.
func (n *Node) cgroupMounts() (v1 []mount, v2 string) {
	for _, m := range n.mounts() {
		switch {
		case !strings.HasPrefix(m.point, "/sys/fs/cgroup"):
		case m.kind == "cgroup":
			v1 = append(v1, m)
		case m.kind == "cgroup2":
			v2 = m.point
		}
	}
	return v1, v2
}

func freezer(v1 []mount) string {
	if slices.ContainsFunc(v1, func(m mount) bool { return slices.Contains(m.source, "freezer") }) {
		return "with a freezer"
	}
	return "without a freezer: nobody's containers can be paused"
}

// delegated says whether the caller may move processes in the cgroup that it is in. The path of
// version 2 stands behind "0::" (cgroups(7)).
func (n *Node) delegated(v2 string) bool {
	for entry := range strings.Lines(n.read("proc/self/cgroup")) {
		if path, ok := strings.CutPrefix(strings.TrimSpace(entry), "0::"); ok {
			return unix.Access(n.path(v2, filepath.Clean("/"+path), "cgroup.procs"), unix.W_OK) == nil
		}
	}
	return false
}
