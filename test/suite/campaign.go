package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"slices"
	"strings"
	"time"
)

// longTests are the tests that do more with BERTH_TEST_CAMPAIGN=yes, by package. They read BERTH_TEST_SEED and
// BERTH_TEST_ROUNDS.
var longTests = []struct{ dir, run string }{
	{"drivers/charliecloud", "^TestVersions$"},
	{"drivers/singularity", "^TestConformance$"},
	{"test", "^(TestConformance|TestLifecycleTable|TestKilledWhileItStarts|TestKilledAtSystemCalls|TestSupervisedInterrupted|TestStorm)$"},
	{"test/oci", "."},
	{"test/slurm", "."}, // as many releases of Slurm as there are
}

// fuzzing is how long each target is fuzzed in each pass.
const fuzzing = time.Minute

// campaign is make campaign: the tests that chance decides, or that only many rounds or much time make worth
// while. Each has a small form in make test that is the same every time. It passes through all of them, with the
// next seed each time, until the duration is over; a pass that has begun is finished.
func campaign(ctx context.Context, args []string) error {
	flags := flag.NewFlagSet("suite campaign", flag.ContinueOnError)
	logs := flags.String("logs", "", "`DIR` for the log of each part")
	seed := flags.Int64("seed", time.Now().Unix(), "begin chance with `N`")
	rounds := flags.Int("rounds", 100, "`N` rounds of the tests that count them")
	duration := flags.Duration("duration", time.Hour, "begin no further pass after `TIME`, such as 90m")
	if err := flags.Parse(args); err != nil {
		return err
	}
	if flags.NArg() > 0 || *rounds < 1 {
		return fmt.Errorf("a campaign takes SEED, ROUNDS of 1 at least, and DURATION, not %d rounds and %q", *rounds, flags.Args())
	}
	u, err := prepare(*logs)
	if err != nil {
		return err
	}
	all, err := packages()
	if err != nil {
		return err
	}
	fmt.Printf("the campaign of SEED=%d ROUNDS=%d DURATION=%v\n", *seed, *rounds, *duration)
	if err := u.build(ctx, groups(all)); err != nil {
		return err
	}
	sum := summary{}
	if sum.build, err = below(); err != nil {
		return err
	}
	for began := time.Now(); ; *seed++ {
		parts, err := u.longParts(groups(all), *seed, *rounds)
		if err != nil {
			return err
		}
		fmt.Printf("a pass with SEED=%d\n", *seed)
		if err := u.each(ctx, parts, &sum); err != nil || time.Since(began) >= *duration {
			return errors.Join(err, u.conclude(&sum))
		}
	}
}

// longParts are those of one pass: the long tests as each caller, and each target of fuzzing.
func (u suite) longParts(groups [][]pkg, seed int64, rounds int) (parts []part, err error) {
	env := append(os.Environ(), fmt.Sprint("BERTH_TEST_SEED=", seed), fmt.Sprint("BERTH_TEST_ROUNDS=", rounds))
	for group, packages := range groups {
		for _, p := range packages {
			for _, long := range longTests {
				if p.name() != long.dir {
					continue
				}
				for _, who := range callers(p) {
					one := u.testPart(p, who, u.program(group, p), long.run)
					one.env = env
					parts = append(parts, one)
				}
			}
			targets, err := p.functions("Fuzz")
			if err != nil {
				return nil, err
			}
			for _, target := range targets {
				parts = append(parts, part{name: p.name() + " " + target, dir: p.dir, kind: whole, command: []string{
					"go", "test", "-run=^$", "-fuzz=^" + target + "$", "-fuzztime=" + fuzzing.String(), "-fuzzminimizetime=5x", "."}})
			}
		}
	}
	slices.SortStableFunc(parts, func(a, b part) int { return strings.Compare(a.dir, b.dir) })
	return parts, nil
}
