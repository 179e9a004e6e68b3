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

// part is what gets a line of the report: the tests of a package as one caller, or a check of all.
type part struct {
	name    string   // such as "drivers/crun as root"
	dir     string   // where its command runs
	command []string // prints what test2json prints
	silent  bool     // a check, which prints something only where something is wrong
}

// result is what came of a part.
type result struct {
	part
	cost     time.Duration            // of the processor, with all that ended below
	took     time.Duration            // on the clock
	outcomes map[string]string        // of each test: pass, fail or skip
	skipped  map[string]string        // why
	tests    map[string]time.Duration // on the clock, of each top-level test
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
func program(programs string, group int, p pkg) string {
	return filepath.Join(programs, fmt.Sprint(group), filepath.Base(p.path)+".test")
}

// testParts are the tests of the packages, as each of their callers, in the order of their folders.
func (o options) testParts(all [][]pkg) []part {
	var parts []part
	for group, packages := range all {
		for _, p := range packages {
			for _, who := range callers(p) {
				parts = append(parts, o.testPart(p, who, program(o.programs, group, p)))
			}
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return strings.Compare(a.dir, b.dir) })
	return parts
}

func (o options) testPart(p pkg, who, program string) part {
	command := []string{o.test2json, "-t", "-p", p.path}
	if who == asUser {
		command = append(command, filepath.Join(o.tree, "test/as-user"))
	}
	command = append(command, program, "-test.v=test2json", "-test.paniconexit0", "-test.timeout="+o.limit.String())
	if o.run != "" {
		command = append(command, "-test.run="+o.run)
	}
	return part{name: p.name() + " as " + who, dir: p.dir, command: command}
}
