package main

import (
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// screen shows a run while it goes on: a line for each part that has ended, and each failure at once. At a
// terminal it also shows the part that runs.
type screen struct {
	w        io.Writer
	terminal bool
	logs     string
	known    costs
	unit     start
	clock    clock
	parts    int
	done     int
}

func newScreen(w *os.File, logs string, parts []part, unit start) (*screen, error) {
	known, err := knownCosts()
	if err != nil {
		return nil, err
	}
	info, err := w.Stat()
	if err != nil {
		return nil, err
	}
	c := clock{began: time.Now(), now: time.Now, perS: wallPerS(unit)}
	for _, p := range parts {
		c.rest += known.of(p.name)
	}
	return &screen{w: w, terminal: info.Mode()&os.ModeCharDevice != 0, logs: logs, known: known, unit: unit, clock: c, parts: len(parts)}, nil
}

// say prints one line.
func (s *screen) say(format string, args ...any) {
	s.clear()
	fmt.Fprintf(s.w, format+"\n", args...)
}

// begins shows the part that runs, until the next line.
func (s *screen) begins(p part) {
	if s.terminal {
		fmt.Fprintf(s.w, "\r\x1b[K%s %s", s.place(), p.name)
	}
}

func (s *screen) clear() {
	if s.terminal {
		fmt.Fprint(s.w, "\r\x1b[K")
	}
}

// failed shows a failure as it happens, with the end of what the test said.
func (s *screen) failed(p part, f failure) {
	s.say("FAIL  %s", strings.TrimSpace(p.name+" "+f.test))
	for _, line := range f.tail {
		s.say("    | %s", strings.TrimSuffix(line, "\n"))
	}
	s.say("    all of it: %s", s.relative(p.log(s.logs)))
}

// relative shortens a path that lies below the directory from which make was called.
func (s *screen) relative(path string) string {
	if r, err := filepath.Rel(os.Getenv("BERTH_TEST_TREE"), path); err == nil && !strings.HasPrefix(r, "..") {
		return r
	}
	return path
}

// ended shows what came of a part.
func (s *screen) ended(r *result) {
	s.done++
	s.clock.passed(s.known.of(r.name))
	word := "ok"
	if r.count("fail") > 0 {
		word = "FAIL"
	}
	s.say("%-4s  %-42s %7s %9s S  %s", word, r.name, seconds(r.took), thousands(inUnits(r.cost, s.unit)), s.place())
}

// place says how far the run is.
func (s *screen) place() string {
	return fmt.Sprintf("[%d/%d, %s, %s left]", s.done, s.parts, minutes(s.clock.elapsed()), s.clock.left())
}
