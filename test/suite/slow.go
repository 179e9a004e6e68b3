package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"runtime"
	"time"
)

// slowness is how many times slower than alone the smallest program is to be, and most how many loops run for
// each core to get there.
const (
	slowness = 5
	most     = 16
)

// slow runs a command between busy loops, as on a machine about five times slower, and says how slow it was.
func slow(ctx context.Context, argv []string) error {
	flags := flag.NewFlagSet("suite slow", flag.ContinueOnError)
	tree := flags.String("tree", ".", "the module's root `DIR`")
	if err := flags.Parse(argv); err != nil {
		return err
	}
	if argv = flags.Args(); len(argv) == 0 {
		return errors.New("usage: test/slow COMMAND [ARG…]")
	}
	dir, err := os.MkdirTemp("", "berth-slow.")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	unit, err := buildSmallest(*tree, dir)
	if err != nil {
		return err
	}
	alone, err := unit.measure(unitRounds)
	if err != nil {
		return err
	}
	var loops busyLoops
	defer loops.end()
	var between start
	for perCore := 1; perCore <= most; perCore++ {
		for range runtime.NumCPU() {
			if err := loops.add(); err != nil {
				return err
			}
		}
		if between, err = unit.measure(unitRounds); err != nil {
			return err
		}
		if between.wall >= slowness*alone.wall {
			break
		}
	}
	fmt.Fprintf(os.Stderr, "slow: between %d busy loops the smallest Go program takes %v instead of %v, %.1f times as long\n",
		len(loops), between.wall.Round(10*time.Microsecond), alone.wall.Round(10*time.Microsecond), float64(between.wall)/float64(alone.wall))
	status, err := runBetween(ctx, argv)
	if err != nil {
		return err
	}
	if after, err := unit.measure(unitRounds); err == nil {
		fmt.Fprintf(os.Stderr, "slow: at the end it takes %v, %.1f times as long as alone; status %d\n",
			after.wall.Round(10*time.Microsecond), float64(after.wall)/float64(alone.wall), status)
	}
	if status != 0 {
		return exitStatus(status)
	}
	return nil
}
