package main

import (
	"path/filepath"
	"strings"
	"testing"
	"time"
)

func made(name string, cost time.Duration, outcomes map[string]string) *result {
	return &result{part: part{name: name}, cost: cost, outcomes: outcomes,
		skipped: map[string]string{"TestB": "only root"}, tests: map[string]time.Duration{"TestA": time.Second, "TestB": 3 * time.Second}}
}

func TestSummary(t *testing.T) {
	t.Parallel()
	var s summary
	s.build = 2 * time.Second
	s.add(made("x as root", 4*time.Second, map[string]string{"TestA": "pass", "TestB": "pass"}))
	s.add(made("x as berthtest", 2*time.Second, map[string]string{"TestA": "pass", "TestB": "skip"}))
	if !s.good() {
		t.Errorf("what root passes is no skipped test: %v", s.counts())
	}
	var text strings.Builder
	s.print(&text, start{processor: 2 * time.Millisecond})
	for _, want := range []string{"2.00 ms", "cost: 4 000 S, of which building 1 000 S", "2 000 S   50 %  x as root\n", "1 500 S   38 %  x as root TestB\n", "\n2 passed, 0 failed, 0 skipped\n"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q is missing:\n%s", want, text.String())
		}
	}

	s.add(made("y as root", 0, map[string]string{"TestB": "skip"}))
	if s.good() {
		t.Error("what everybody skips is good")
	}
	text.Reset()
	s.print(&text, start{processor: time.Millisecond})
	if !strings.Contains(text.String(), "skipped by every caller: y TestB: only root\n") {
		t.Errorf("it is not said why:\n%s", text.String())
	}
	s.add(made("x as berthtest", 0, map[string]string{"TestA": "fail"}))
	if n := s.counts(); n["fail"] != 1 || n["pass"] != 1 || n["skip"] != 1 || s.good() {
		t.Errorf("%v: one of each is right", n)
	}
	if (&summary{}).good() {
		t.Error("nothing at all is good")
	}
}

func TestCosts(t *testing.T) {
	t.Parallel()
	c, err := readCosts("12 drivers/crun as root\n3 vet\n")
	must(t, err)
	if c.of("drivers/crun as root") != 12 || c.of("another") != unknownCost {
		t.Errorf("%v", c)
	}
	for _, bad := range []string{"x vet\n", "12\n", "\n"} {
		if _, err := readCosts(bad); err == nil {
			t.Errorf("%q is taken", bad)
		}
	}
	_, err = knownCosts()
	must(t, err)
}

func TestGroups(t *testing.T) {
	t.Parallel()
	g := groups([]pkg{{path: module + "/host/slurm"}, {path: module + "/test/slurm"}, {path: module + "/sdk"}})
	if len(g) != 2 || len(g[0]) != 2 || len(g[1]) != 1 {
		t.Errorf("%v: want host/slurm and sdk together, and test/slurm alone", g)
	}
	u := suite{programs: "/p"}
	if a, b := u.program(0, g[0][0]), u.program(1, g[1][0]); a == b || filepath.Base(a) != "slurm.test" {
		t.Errorf("%s and %s", a, b)
	}
}

func TestChoice(t *testing.T) {
	t.Parallel()
	all, err := packages(".")
	must(t, err)
	if len(all) != 1 || all[0].name() != "test/suite" {
		t.Fatalf("%v: want this package", all)
	}
	for run, want := range map[string]bool{"TestChoice": true, "^TestCh.*/x": true, "TestNothing": false, "choice": false} {
		if got, err := all[0].has(run); err != nil || got != want {
			t.Errorf("RUN=%s: %v, %v; want %v", run, got, err, want)
		}
	}
	if _, err := all[0].has("("); err == nil {
		t.Error("RUN=( is taken")
	}
}
