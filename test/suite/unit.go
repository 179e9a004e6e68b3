package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"time"
)

// smallest is the smallest Go program, built for this run. What it costs to start it and to wait for
// its end is S, the unit of everything that is measured here.
type smallest struct{ path string }

// buildSmallest builds it into dir. tree is the module's root.
func buildSmallest(tree, dir string) (smallest, error) {
	s := smallest{filepath.Join(dir, "smallest")}
	cmd := exec.Command("go", "build", "-ldflags", "-s -w", "-o", s.path, "./test/suite/testdata/smallest")
	cmd.Dir = tree
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return s, fmt.Errorf("building the smallest program: %w\n%s", err, out)
	}
	return s, nil
}

// start is what one start takes until its end is known.
type start struct{ processor, wall time.Duration }

// measure starts the program this many times, one after another, and returns the medians.
func (s smallest) measure(times int) (start, error) {
	var processor, wall []time.Duration
	for range times {
		before, began := ownTime(), time.Now()
		cmd := exec.Command(s.path)
		if err := cmd.Run(); err != nil {
			return start{}, fmt.Errorf("measuring the smallest program: %w", err)
		}
		wall = append(wall, time.Since(began))
		processor = append(processor, ownTime()-before+cmd.ProcessState.UserTime()+cmd.ProcessState.SystemTime())
	}
	return start{median(processor), median(wall)}, nil
}

func median(of []time.Duration) time.Duration {
	slices.Sort(of)
	return of[len(of)/2]
}
