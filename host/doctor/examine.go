// Package doctor looks at a node and says what keeps containers from running there: each finding
// with why it matters and the one command that mends it.
//
// It changes nothing on the node and runs no container. What the kernel allows is tried where the
// trial leaves nothing behind; drivers are started for their own check, for which they need the
// caller's directory below the node's container directory, as every call of berth does.
package doctor

import (
	"context"
	"fmt"
	"strings"
	"unicode"

	"github.com/berth-hpc/berth/sdk"
)

// check looks at one thing of the node.
type check struct {
	name   string  // Finding.Check
	about  string  // what it looks at: a sentence
	faults []fault // all that it can find
	look   func(*examination)
}

// fault is something that a check can find wrong.
type fault struct {
	when   string // what is wrong, for the documentation: a clause
	status Status
	why    string // a clause
	mend   string // a command; words in capitals stand for what a finding fills in
}

// Examine runs every check in a fixed order, the order of docs/doctor.md. It starts each driver
// once, all at the same time, and takes no longer than the configuration's deadlines of one driver
// allow and the rest of the node answers.
func Examine(ctx context.Context, n Node) []Finding {
	e := &examination{Node: n, ctx: ctx}
	for _, c := range checks() {
		e.check = c.name
		c.look(e)
	}
	return e.findings
}

// checks is every check, causes before what they cause.
func checks() []check {
	return []check{
		caller(),
		unprivilegedUserns(), apparmorUnconfined(), apparmorUserns(), maxUserNamespaces(), userNamespaces(),
		idMappingPrograms(), subordinateIDs(),
		cgroups(), procfs(), kernelCalls(), limits(),
		stateDirectory(), tmpfiles(),
		configuration(), trustedFiles(), berthInit(), driverDirectory(),
		drivers(), sudo(), runtimeVersions(), slurmConf(),
	}
}

// examination is one run of all checks.
type examination struct {
	Node
	ctx      context.Context
	check    string
	findings []Finding
	runtimes []*sdk.Runtime // what the drivers found
}

// ok notes that all is well, and what with.
func (e *examination) ok(format string, args ...any) {
	e.add(Finding{Status: StatusOK, What: fmt.Sprintf(format, args...)})
}

// found notes a fault. fill holds pairs: a word in capitals of the fault's command and what takes
// its place.
func (e *examination) found(f fault, what string, fill ...string) {
	mend := strings.NewReplacer(fill...).Replace(f.mend)
	e.add(Finding{Status: f.status, What: what, Why: f.why, Mend: mend})
}

// foundError notes a fault that an error tells, with the command mend where the error knows one.
func (e *examination) foundError(f fault, err error, mend string, fill ...string) {
	if mend != "" {
		f.mend = mend
	}
	e.found(f, err.Error(), fill...)
}

func (e *examination) add(f Finding) {
	f.Check, f.What, f.Why, f.Mend = e.check, line(f.What), line(f.Why), line(f.Mend)
	e.findings = append(e.findings, f)
}

// line makes a text one line that a terminal shows as it is.
func line(text string) string {
	return strings.Map(func(r rune) rune {
		if r != ' ' && !unicode.IsPrint(r) {
			return '?'
		}
		return r
	}, strings.TrimSpace(strings.ToValidUTF8(text, "?")))
}
