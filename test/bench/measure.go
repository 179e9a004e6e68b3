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
	root := filepath.Join(os.Getenv("BERTH_BENCH_BARE"), c.name+"-"+runtime)
	bare := func(id string) *exec.Cmd { return c.command(runtime, "--root", root, "run", id) }
	ours := func(id string) *exec.Cmd { return c.command(berth(), "run", "--driver", runtime, "--id", id, c.dir) }
	if err := c.row("run, "+runtime, rounds, bare, ours); err != nil {
		return err
	}
	storm := func(make func(string) *exec.Cmd) func(string) error {
		return func(id string) error { return atOnce(128, id, make) }
	}
	if err := timed("128 at once, "+runtime, c.name, storms, way{run: storm(bare)}, way{run: storm(ours)}); err != nil {
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
	return timed(what, c.name, rounds, way{run: run(bare)}, way{run: run(ours)})
}

// way is one of two ways to do the same.
type way struct {
	ready func() error // before each run, not measured; nil: nothing
	run   func(id string) error
}

// timed takes turns between two ways and prints their medians and the ratio.
func timed(what, caller string, rounds int, bare, ours way) error {
	var times [2][]time.Duration
	for i := range rounds + 2 { // the first two rounds warm the caches
		for j, w := range []way{bare, ours} {
			took, err := w.time(fmt.Sprintf("bench-%d-%d", os.Getpid(), i))
			if err != nil {
				return fmt.Errorf("%s as %s, %s: %w", what, caller, [...]string{"bare", "berth"}[j], err)
			}
			if i >= 2 {
				times[j] = append(times[j], took)
			}
		}
	}
	b, o := median(times[0]), median(times[1])
	fmt.Printf("| %s | %s | %.1f | %.1f | %.2f |\n", what, caller, ms(b), ms(o), float64(o)/float64(b))
	return nil
}

func (w way) time(id string) (time.Duration, error) {
	if w.ready != nil {
		if err := w.ready(); err != nil {
			return 0, err
		}
	}
	start := time.Now()
	err := w.run(id)
	return time.Since(start), err
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
