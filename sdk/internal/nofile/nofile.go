// Package nofile remembers the limit of open files that the process was started with.
//
// Package syscall raises the soft limit to the hard one when it is initialized. What this process
// executes gets the first one back, but nobody can ask Go for it. This package looks before: packages
// are initialized in the order of their import paths as soon as those that they import are (the Go
// specification, "Program initialization"), and it imports none.
package nofile

import _ "unsafe" // for go:linkname

type rlimit struct{ soft, hard uint64 }

var atStart = read()

func read() (l rlimit) {
	const resource = 7                // RLIMIT_NOFILE, wherever berth runs
	_ = prlimit(0, resource, nil, &l) // cannot fail
	return l
}

// prlimit is prlimit(2), which package syscall keeps for golang.org/x/sys in this way. nofile.s, which
// is empty, lets a function have no body.
//
//go:linkname prlimit syscall.prlimit
func prlimit(pid, resource int, set, get *rlimit) error

// AtStart returns the soft and the hard limit.
func AtStart() (soft, hard uint64) { return atStart.soft, atStart.hard }
