package doctor

import "fmt"

// procfs looks at the mount of /proc.
func procfs() check {
	missing := fault{
		when: "no proc file system is mounted there", status: StatusBroken,
		why:  "berth knows a container's process by its start time, which it reads there, and every runtime needs it",
		mend: "mount -t proc proc /proc",
	}
	hidden := fault{
		when: "it is mounted with hidepid", status: StatusWarning,
		why:  "runtimes close their processes to their own user, who then cannot see them there: berth cannot tell whether a container still runs",
		mend: "mount -o remount,hidepid=0 /proc",
	}
	return check{
		name: "proc", about: "How /proc is mounted.", faults: []fault{missing, hidden},
		look: func(e *examination) {
			value, mounted := "", false
			for _, m := range e.mounts() {
				if m.point == "/proc" && m.kind == "proc" {
					mounted = true
					value, _ = m.option("hidepid")
				}
			}
			switch {
			case !mounted:
				e.found(missing, "no proc file system is mounted at /proc")
			case value != "" && value != "0" && value != "off":
				e.found(hidden, fmt.Sprintf("/proc is mounted with hidepid=%s", value))
			default:
				e.ok("/proc shows every process")
			}
		},
	}
}
