package doctor

import (
	"fmt"
	"strconv"
	"strings"
)

// resourceLimit is a limit of a process below which containers fail.
type resourceLimit struct {
	row    string // in /proc/PID/limits
	enough uint64
	fault  fault
}

func limits() check {
	all := []resourceLimit{
		{"Max open files", 1024, fault{
			when: "the caller can have fewer than 1024 open files", status: StatusWarning,
			why:  `a runtime has dozens open before the container starts and fails with "too many open files"; the container inherits the limit`,
			mend: "prlimit --pid $$ --nofile=65536:65536",
		}},
		{"Max processes", 256, fault{
			when: "the caller can have fewer than 256 processes", status: StatusWarning,
			why:  `threads count, and all of a user's tasks on the node share the limit: a runtime ends with "resource temporarily unavailable"`,
			mend: "prlimit --pid $$ --nproc=16384:16384",
		}},
	}
	return check{
		name: "limits", about: "The caller's hard limits: open files and processes. A job may have others, from PropagateResourceLimits in slurm.conf.",
		faults: []fault{all[0].fault, all[1].fault},
		look: func(e *examination) {
			good := true
			for _, l := range all {
				if hard, ok := e.hardLimit(l.row); ok && hard < l.enough {
					e.found(l.fault, fmt.Sprintf("%s is %d at most", strings.ToLower(l.row), hard))
					good = false
				}
			}
			if good {
				e.ok("there is no low limit on open files and processes")
			}
		},
	}
}

// hardLimit reads a row such as "Max open files   1024   524288   files"; ok is false for
// "unlimited" and where it cannot be read. The soft limit of a Go program is not its caller's:
// the runtime raises it.
func (n *Node) hardLimit(row string) (value uint64, ok bool) {
	for entry := range strings.Lines(n.read("proc/self/limits")) {
		if rest, found := strings.CutPrefix(entry, row+" "); found {
			fields := strings.Fields(rest)
			if len(fields) < 2 {
				return 0, false
			}
			value, err := strconv.ParseUint(fields[1], 10, 64)
			return value, err == nil
		}
	}
	return 0, false
}
