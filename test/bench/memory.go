package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

// added prints what host and driver add to crun's run, against the start of the smallest program.
func (c *caller) added(smallest string, rounds int) error {
	root := filepath.Join(c.dir, "bare-crun")
	var bare, ours, small []time.Duration
	for i := range rounds + 2 {
		id := fmt.Sprintf("added-%d-%d", os.Getpid(), i)
		for _, way := range []struct {
			cmd   *exec.Cmd
			times *[]time.Duration
		}{
			{c.command(smallest), &small},
			{c.command("crun", "--root", root, "run", id), &bare},
			{c.command(berth(), "run", "--driver", "crun", "--id", id, c.dir), &ours},
		} {
			start := time.Now()
			if err := way.cmd.Run(); err != nil {
				return err
			}
			if i >= 2 {
				*way.times = append(*way.times, time.Since(start))
			}
		}
	}
	plus, unit := median(ours)-median(bare), median(small)
	fmt.Printf("| added to run by host, driver and berth-init | %s | %.1f (smallest Go program) | %.1f | %.2f |\n",
		c.name, ms(unit), ms(plus), float64(plus)/float64(unit))
	return nil
}

// memory counts the processes of ours while 128 containers sleep.
func (c *caller) memory() error {
	config := filepath.Join(c.dir, "config.json")
	if err := setCommand(config, "/bin/sleep", "1000"); err != nil {
		return err
	}
	const n = 128
	var running []*exec.Cmd
	defer func() {
		for i, cmd := range running {
			_ = c.command(berth(), "delete", "--force", memoryID(i)).Run()
			_ = cmd.Wait()
		}
	}()
	for i := range n {
		cmd := c.command(berth(), "run", "--driver", "crun", "--id", memoryID(i), c.dir)
		if err := cmd.Start(); err != nil {
			return err
		}
		running = append(running, cmd)
	}
	deadline := time.Now().Add(time.Minute)
	for {
		out, err := c.command(berth(), "ps", "--json").Output()
		if err == nil && bytes.Count(out, []byte(`"running"`)) >= n {
			break
		}
		if time.Now().After(deadline) {
			return fmt.Errorf("128 containers did not all run within a minute")
		}
	}
	count, err := ourProcesses()
	if err != nil {
		return err
	}
	fmt.Printf("| processes of berth's while %d containers sleep | %s | 0 | %d | |\n", n, c.name, count)
	return nil
}

func memoryID(i int) string { return fmt.Sprintf("bench-memory-%d-%d", os.Getpid(), i) }

// ourProcesses counts the processes that execute one of berth's programs.
func ourProcesses() (int, error) {
	links, err := filepath.Glob("/proc/[0-9]*/exe")
	if err != nil {
		return 0, err
	}
	count := 0
	for _, link := range links {
		if exe, err := os.Readlink(link); err == nil && strings.HasPrefix(exe, os.Getenv("BERTH_BIN")) {
			count++
		}
	}
	return count, nil
}
