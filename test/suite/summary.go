package main

import (
	"cmp"
	"fmt"
	"io"
	"maps"
	"os"
	"slices"
	"strings"
	"time"
)

// summary adds up the results of a run.
type summary struct {
	build time.Duration // of the processor, before the first part
	parts []*result
}

func (s *summary) add(r *result) { s.parts = append(s.parts, r) }

// outcomes are those of all tests. One that several callers ran counts once: as failed where it failed for
// one of them, and as skipped where it was skipped for all.
func (s *summary) outcomes() map[string]string {
	all := map[string]string{}
	for _, r := range s.parts {
		base, _, _ := strings.Cut(r.name, " as ")
		for test, outcome := range r.outcomes {
			key := base + " " + test
			if had := all[key]; had == "" || outcome == "fail" || outcome == "pass" && had == "skip" {
				all[key] = outcome
			}
		}
	}
	return all
}

// counts are how many tests had each outcome.
func (s *summary) counts() map[string]int {
	n := map[string]int{}
	for _, outcome := range s.outcomes() {
		n[outcome]++
	}
	return n
}

// good says that something passed, nothing failed, and nothing was skipped by everybody.
func (s *summary) good() bool {
	n := s.counts()
	return n["pass"] > 0 && n["fail"] == 0 && n["skip"] == 0
}

// dearest is how many parts and tests are named.
const dearest = 10

// print writes what failed and was skipped, what everything cost, and in the last line the counts.
func (s *summary) print(w io.Writer, unit start) {
	all := s.outcomes()
	for _, key := range slices.Sorted(maps.Keys(all)) {
		switch all[key] {
		case "fail":
			fmt.Fprintf(w, "failed: %s\n", key)
		case "skip":
			fmt.Fprintf(w, "skipped by every caller: %s: %s\n", key, s.why(key))
		}
	}
	tests := time.Duration(0)
	for _, r := range s.parts {
		tests += r.cost
	}
	total := s.build + tests
	fmt.Fprintf(w, "S, the smallest Go program, started and awaited: %.2f ms of processor time\n", float64(unit.processor)/float64(time.Millisecond))
	fmt.Fprintf(w, "cost: %s S, of which building %s S (%.0f s of processor time)\n",
		thousands(inUnits(total, unit)), thousands(inUnits(s.build, unit)), total.Seconds())
	s.printDearest(w, "dearest parts", s.partCosts(), total, unit)
	s.printDearest(w, "dearest tests, by their time in their part", s.testCosts(), total, unit)
	n := s.counts()
	fmt.Fprintf(w, "%d passed, %d failed, %d skipped\n", n["pass"], n["fail"], n["skip"])
}

func (s *summary) why(key string) string {
	for _, r := range s.parts {
		base, _, _ := strings.Cut(r.name, " as ")
		if test, ok := strings.CutPrefix(key, base+" "); ok && r.skipped[test] != "" {
			return r.skipped[test]
		}
	}
	return ""
}

// priced is something with what it cost.
type priced struct {
	name string
	cost time.Duration
}

func (s *summary) partCosts() (all []priced) {
	for _, r := range s.parts {
		all = append(all, priced{r.name, r.cost})
	}
	return all
}

// testCosts divides the cost of each part among its tests by the time that they took on the clock. That is
// not exact where they ran at once.
func (s *summary) testCosts() (all []priced) {
	for _, r := range s.parts {
		whole := time.Duration(0)
		for _, took := range r.tests {
			whole += took
		}
		for test, took := range r.tests {
			if whole > 0 {
				all = append(all, priced{r.name + " " + test, time.Duration(float64(r.cost) * float64(took) / float64(whole))})
			}
		}
	}
	return all
}

func (s *summary) printDearest(w io.Writer, title string, all []priced, total time.Duration, unit start) {
	slices.SortFunc(all, func(a, b priced) int {
		return cmp.Or(cmp.Compare(b.cost, a.cost), cmp.Compare(a.name, b.name))
	})
	if len(all) == 0 || total == 0 {
		return
	}
	fmt.Fprintf(w, "%s:\n", title)
	for _, p := range all[:min(dearest, len(all))] {
		fmt.Fprintf(w, "%9s S %4.0f %%  %s\n", thousands(inUnits(p.cost, unit)), 100*float64(p.cost)/float64(total), p.name)
	}
}

// writeCosts writes what each part cost into file, as test/suite/costs.txt has it.
func (s *summary) writeCosts(file string, unit start) error {
	c := costs{}
	for _, r := range s.parts {
		c[r.name] = inUnits(r.cost, unit)
	}
	var text strings.Builder
	if err := c.write(&text); err != nil {
		return err
	}
	return os.WriteFile(file, []byte(text.String()), 0o644)
}
