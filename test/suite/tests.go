package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"path/filepath"
	"strings"
)

// run is make test.
func run(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("suite run", flag.ContinueOnError)
	logs := flags.String("logs", "", "`DIR` for the log of each part")
	test := flags.String("run", "", "run the tests that match `TEST`, as go test -run takes it")
	if err := flags.Parse(args); err != nil {
		return err
	}
	u, err := prepare(*logs)
	if err != nil {
		return err
	}
	chosen, err := choose(*test, flags.Args())
	if err != nil {
		return err
	}
	parts := u.testParts(groups(chosen), *test)
	if *test == "" && flags.NArg() == 0 {
		parts = append(u.checks(), parts...)
	}
	fmt.Printf("building the tests of %d packages\n", len(chosen))
	if err := u.build(ctx, groups(chosen)); err != nil {
		return err
	}
	sum := summary{}
	if sum.build, err = below(); err != nil { // the stage's build of the programs included
		return err
	}
	return errors.Join(u.each(ctx, parts, &sum), u.conclude(&sum))
}

// checks look at the source as a whole.
func (u suite) checks() []part {
	return []part{
		{name: "format", dir: u.tree, command: []string{"gofmt", "-l", "."}, kind: check},
		{name: "vet", dir: u.tree, command: []string{"go", "vet", "./..."}, kind: check},
		{name: "modules", dir: u.tree, command: []string{"bash", "-c", "go mod verify >/dev/null"}, kind: check},
		{name: "examples/driver-bubblewrap", dir: filepath.Join(u.tree, "examples/driver-bubblewrap"),
			command: []string{"go", "test", "-json", "-count=1", "-timeout=" + u.limit.String(), "./..."}},
	}
}

// choose lists the packages whose tests are wanted: those of the patterns that have a test which test matches.
func choose(test string, patterns []string) ([]pkg, error) {
	all, err := packages(patterns...)
	if err != nil || test == "" {
		return all, err
	}
	var chosen []pkg
	for _, p := range all {
		has, err := p.has(test)
		if err != nil {
			return nil, err
		}
		if has {
			chosen = append(chosen, p)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no test of %s matches RUN=%s", cmp.Or(strings.Join(patterns, " "), "any package"), test)
	}
	return chosen, nil
}
