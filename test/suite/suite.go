package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// suite is what all runs have.
type suite struct {
	tree      string // the module's root
	logs      string // where each part leaves its log
	programs  string // where test programs are built
	test2json string // Go's tool
	unit      smallest
	s         start         // what S is
	limit     time.Duration // after which a part that has not ended hangs
}

// unitRounds is how often the smallest program is started to measure S.
const unitRounds = 101

// prepare measures S in the working directory, which is the module's root.
func prepare(logs string) (u suite, err error) {
	if logs == "" {
		return u, errors.New("suite: -logs is missing")
	}
	u.logs = logs
	if u.tree, err = os.Getwd(); err != nil {
		return u, err
	}
	u.programs = filepath.Join(u.tree, "bin", "tests")
	for _, dir := range []string{u.logs, u.programs} {
		if err := os.MkdirAll(dir, 0o755); err != nil {
			return u, err
		}
	}
	out, err := exec.Command("go", "tool", "-n", "test2json").Output() // built where Go does not ship it built
	if err != nil {
		return u, fmt.Errorf("looking for test2json: %w", err)
	}
	u.test2json = strings.TrimSpace(string(out))
	if u.unit, err = buildSmallest(u.tree, u.programs); err != nil {
		return u, err
	}
	u.s, err = u.unit.measure(unitRounds)
	u.limit = hangLimit(u.s)
	return u, err
}

// hangLimit is for each part: half an hour at least, and an hour and a half where S takes 5 ms on the clock. It is
// there to catch what hangs; the dearest part may take some ten times what it should.
func hangLimit(s start) time.Duration {
	return max(30*time.Minute, 1_000_000*s.wall).Round(time.Minute)
}

// build links each test program once, for all callers.
func (u suite) build(ctx context.Context, groups [][]pkg) error {
	for i, group := range groups {
		dir := filepath.Join(u.programs, fmt.Sprint(i))
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
			return fmt.Errorf("building the tests: %w", err)
		}
	}
	return nil
}

// each runs parts one after another, since some look at what is left on the node.
func (u suite) each(ctx context.Context, parts []part, sum *summary) error {
	screen, err := newScreen(os.Stdout, u.logs, parts, u.s)
	if err != nil {
		return err
	}
	for _, p := range parts {
		screen.begins(p)
		r, err := p.do(ctx, u.limit, p.log(u.logs), func(f failure) { screen.failed(p, f) })
		if err != nil {
			screen.clear()
			return err
		}
		screen.ended(r)
		sum.add(r)
	}
	return nil
}

// conclude prints the summary. S is the cheaper of two measurements: what runs beside it makes a start dearer,
// never cheaper.
func (u suite) conclude(sum *summary) error {
	if last, err := u.unit.measure(unitRounds); err == nil {
		u.s = start{min(u.s.processor, last.processor), min(u.s.wall, last.wall)}
	}
	sum.print(os.Stdout, u.s)
	if err := sum.writeCosts(filepath.Join(u.logs, "costs.txt"), u.s); err != nil {
		return err
	}
	if !sum.good() {
		return errFailed
	}
	return nil
}
