package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"
)

// measure compares one runtime bare and through berth: run, state, and 128 runs at once.
func (c *caller) measure(runtime string, rounds, storms int) error {
	root := filepath.Join(c.dir, "bare-"+runtime)
	bare := func(id string) *exec.Cmd { return c.command(runtime, "--root", root, "run", id) }
	ours := func(id string) *exec.Cmd { return c.command(berth(), "run", "--driver", runtime, "--id", id, c.dir) }
	if err := c.row("run, "+runtime, rounds, bare, ours); err != nil {
		return err
	}
	storm := func(make func(string) *exec.Cmd) func(string) error {
		return func(id string) error { return atOnce(128, id, make) }
	}
	if err := c.timed("128 at once, "+runtime, storms, storm(bare), storm(ours)); err != nil {
		return err
	}
	return c.state(runtime, root, rounds)
}

// state measures the state of a container that runs, and through berth of one that is long dead.
func (c *caller) state(runtime, root string, rounds int) error {
	sleeping := func(cmd *exec.Cmd) (func(), error) {
		if err := cmd.Start(); err != nil {
			return nil, err
		}
		return func() { _ = cmd.Wait() }, nil
	}
	config := filepath.Join(c.dir, "config.json")
	if err := setCommand(config, "/bin/sleep", "1000"); err != nil {
		return err
	}
	defer func() { _ = setCommand(config, "/bin/true") }()
	reapBare, err := sleeping(c.command(runtime, "--root", root, "run", "bare"))
	if err != nil {
		return err
	}
	reapOurs, err := sleeping(c.command(berth(), "run", "--driver", runtime, "--id", "bench-state", c.dir))
	if err != nil {
		return err
	}
	bareState := c.command(runtime, "--root", root, "state", "bare").Args
	ourState := c.command(berth(), "state", "bench-state").Args
	for _, args := range [][]string{bareState, ourState} {
		if err := c.until(args, `"running"`); err != nil {
			return err
		}
	}
	err = c.row("state, "+runtime, rounds,
		func(string) *exec.Cmd { return c.command(bareState...) },
		func(string) *exec.Cmd { return c.command(ourState...) })
	_ = c.command(runtime, "--root", root, "delete", "--force", "bare").Run()
	_ = c.command(berth(), "delete", "--force", "bench-state").Run()
	reapBare()
	reapOurs()
	return err
}

// until runs a command until its output holds a text.
func (c *caller) until(args []string, text string) error {
	deadline := time.Now().Add(20 * time.Second)
	for {
		out, _ := c.command(args...).Output()
		if strings.Contains(string(out), text) {
			return nil
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("%s: no %s within 20 s", strings.Join(args, " "), text)
		}
	}
}

func (c *caller) row(what string, rounds int, bare, ours func(id string) *exec.Cmd) error {
	run := func(make func(string) *exec.Cmd) func(string) error {
		return func(id string) error {
			cmd := make(id)
			cmd.Stderr = os.Stderr
			return cmd.Run()
		}
	}
	return c.timed(what, rounds, run(bare), run(ours))
}

// timed takes turns between two ways and prints their medians and the ratio.
func (c *caller) timed(what string, rounds int, bare, ours func(id string) error) error {
	var bareTimes, ourTimes []time.Duration
	for i := range rounds + 2 { // the first two rounds warm the caches
		for _, way := range []struct {
			run   func(string) error
			times *[]time.Duration
		}{{bare, &bareTimes}, {ours, &ourTimes}} {
			start := time.Now()
			if err := way.run(fmt.Sprintf("bench-%d-%d", os.Getpid(), i)); err != nil {
				return fmt.Errorf("%s as %s: %w", what, c.name, err)
			}
			if i >= 2 {
				*way.times = append(*way.times, time.Since(start))
			}
		}
	}
	b, o := median(bareTimes), median(ourTimes)
	fmt.Printf("| %s | %s | %.1f | %.1f | %.2f |\n", what, c.name, ms(b), ms(o), float64(o)/float64(b))
	return nil
}

func atOnce(n int, id string, command func(string) *exec.Cmd) error {
	var wg sync.WaitGroup
	errs := make([]error, n)
	for i := range n {
		wg.Go(func() {
			cmd := command(fmt.Sprintf("%s-%d", id, i))
			cmd.Stderr = os.Stderr
			errs[i] = cmd.Run()
		})
	}
	wg.Wait()
	for _, err := range errs {
		if err != nil {
			return err
		}
	}
	return nil
}

func median(times []time.Duration) time.Duration {
	slices.Sort(times)
	return times[len(times)/2]
}

func ms(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }
