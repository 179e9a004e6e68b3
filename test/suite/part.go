package main

import (
	"fmt"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// Callers whom the tests run as.
const (
	asRoot = "root"
	asUser = "berthtest" // an ordinary user, whom test/setup makes
)

// kind says what the output of a part's command means.
type kind int

const (
	tests kind = iota // events of test2json, if need be with a filter
	whole             // anything: the part is one test, and its status is the outcome
	check             // a complaint: the part is one test, which fails where anything is printed
)

// part is what gets a line of the report: the tests of a package as one caller, or one test of its own.
type part struct {
	name    string // such as "drivers/crun as root"
	dir     string // where its command runs
	command []string
	filter  string   // a program for what the command prints; "" for none
	env     []string // nil: the caller's
	kind    kind
}

// result is what came of a part.
type result struct {
	part
	cost     time.Duration            // of the processor, with all that ended below
	took     time.Duration            // on the clock
	outcomes map[string]string        // of each test: pass, fail or skip
	skipped  map[string]string        // why
	tests    map[string]time.Duration // on the clock, of each top-level test: the sum of its subtests'
}

// rootOnly are the packages whose tests make nodes of their own, and in them act as both callers.
var rootOnly = []string{"test/slurm", "test/callers"}

func callers(p pkg) []string {
	for _, dir := range rootOnly {
		if p.name() == dir || strings.HasPrefix(p.name(), dir+"/") {
			return []string{asRoot}
		}
	}
	return []string{asRoot, asUser}
}

// program is where the test program of a package is built: in a folder of its group.
func (u suite) program(group int, p pkg) string {
	return filepath.Join(u.programs, fmt.Sprint(group), filepath.Base(p.path)+".test")
}

// testParts are the tests of packages, as each of their callers, in the order of their folders.
func (u suite) testParts(all [][]pkg, run string) []part {
	var parts []part
	for group, packages := range all {
		for _, p := range packages {
			for _, who := range callers(p) {
				parts = append(parts, u.testPart(p, who, u.program(group, p), run))
			}
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return strings.Compare(a.dir, b.dir) })
	return parts
}

// testPart is a test program run by one caller; run chooses among its tests, "" all.
func (u suite) testPart(p pkg, who, program, run string) part {
	var command []string
	if who == asUser {
		command = []string{filepath.Join(u.tree, "test/as-user")}
	}
	command = append(command, program, "-test.v=test2json", "-test.paniconexit0", "-test.timeout="+u.limit.String(), "-test.run="+run)
	return part{name: p.name() + " as " + who, dir: p.dir, command: command, filter: u.test2json}
}
