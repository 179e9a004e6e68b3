package main

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// unitRounds is how often the smallest program is started to measure S.
const unitRounds = 101

// all runs the chosen parts, one after another, since some look at what is left on the node.
func (o options) all(ctx context.Context) error {
	dir, err := os.MkdirTemp("", "berth-suite.")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	unit, err := buildSmallest(o.tree, dir)
	if err != nil {
		return err
	}
	s, err := unit.measure(unitRounds)
	if err != nil {
		return err
	}
	o.limit = hangLimit(s)
	packages, err := o.choose()
	if err != nil {
		return err
	}
	parts := o.testParts(groups(packages))
	if o.everything() {
		parts = append(o.checks(), parts...)
	}
	screen, err := newScreen(os.Stdout, o.logs, parts, s)
	if err != nil {
		return err
	}
	screen.say("building the tests of %d packages", len(packages))
	if err := o.build(ctx, groups(packages)); err != nil {
		return err
	}
	sum := summary{}
	if sum.build, err = below(); err != nil { // the stage's build of the programs included
		return err
	}
	err = o.each(ctx, parts, screen, &sum)
	if again, measureErr := unit.measure(unitRounds); measureErr == nil {
		s = cheaper(s, again)
	}
	sum.print(os.Stdout, s)
	if err != nil {
		return err
	}
	if o.everything() {
		if err := sum.writeCosts(filepath.Join(o.logs, "costs.txt"), s); err != nil {
			return err
		}
	}
	if !sum.good() {
		return errFailed
	}
	return nil
}

func (o options) each(ctx context.Context, parts []part, screen *screen, sum *summary) error {
	for _, p := range parts {
		screen.begins(p)
		r, err := p.do(ctx, o.limit, p.log(o.logs), func(f failure) { screen.failed(p, f) })
		if err != nil {
			return err
		}
		screen.ended(r)
		sum.add(r)
	}
	return nil
}

// hangLimit is for each part: an hour and a half where S is 5 ms on the clock, and half an hour at least. It
// only catches what hangs, so that the dearest part may take a hundred times what it should.
func hangLimit(s start) time.Duration {
	return max(30*time.Minute, 1_000_000*s.wall).Round(time.Minute)
}

// checks look at the source as a whole.
func (o options) checks() []part {
	return []part{
		{name: "format", dir: o.tree, command: []string{"gofmt", "-l", "."}, silent: true},
		{name: "vet", dir: o.tree, command: []string{"go", "vet", "./..."}, silent: true},
		{name: "modules", dir: o.tree, command: []string{"bash", "-c", "go mod verify >/dev/null"}, silent: true},
		{name: "examples/driver-bubblewrap", dir: filepath.Join(o.tree, "examples/driver-bubblewrap"),
			command: []string{"go", "test", "-json", "-count=1", "-timeout=" + o.limit.String(), "./..."}},
	}
}

// choose lists the packages whose tests are wanted.
func (o options) choose() ([]pkg, error) {
	all, err := packages(o.packages...)
	if err != nil || o.run == "" {
		return all, err
	}
	var chosen []pkg
	for _, p := range all {
		has, err := p.has(o.run)
		if err != nil {
			return nil, err
		}
		if has {
			chosen = append(chosen, p)
		}
	}
	if len(chosen) == 0 {
		return nil, fmt.Errorf("no test matches RUN=%s in %s", o.run, cmp.Or(strings.Join(o.packages, " "), "any package"))
	}
	return chosen, nil
}

// build links each test program once, for all callers.
func (o options) build(ctx context.Context, groups [][]pkg) error {
	for i, group := range groups {
		dir := filepath.Join(o.programs, fmt.Sprint(i))
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return err
		}
		args := []string{"test", "-c", "-o", dir + "/"}
		for _, p := range group {
			args = append(args, p.path)
		}
		cmd := exec.CommandContext(ctx, "go", args...)
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		if err := cmd.Run(); ctx.Err() != nil {
			return ctx.Err()
		} else if err != nil {
			return fmt.Errorf("building tests: %w", err)
		}
	}
	return nil
}

// goCommand is what a go command prints.
func goCommand(args ...string) (string, error) {
	cmd := exec.Command("go", args...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w", strings.Join(args, " "), err)
	}
	return string(out), nil
}
