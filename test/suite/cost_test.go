package main

import (
	"testing"
	"time"
)

func TestChildrenTime(t *testing.T) {
	t.Parallel()
	const stat = "1 (a) b (c) S 0 1 1 0 -1 4194560 100 200 0 0 11 22 33 44 20 0 1 0 5 6 7 8"
	if got, err := childrenTime(stat); got != 770*time.Millisecond || err != nil {
		t.Errorf("got %v, %v; want 33+44 ticks of 10 ms", got, err)
	}
	for _, bad := range []string{"", "1 (a) S 0", "1 (a) S 0 1 1 0 -1 4194560 100 200 0 0 11 22 x 44 20"} {
		if got, err := childrenTime(bad); err == nil {
			t.Errorf("%q: %v, want an error", bad, got)
		}
	}
}

// What children of children cost is in the sum once everybody has been waited for.
func TestSmallestProgramCostsSomething(t *testing.T) {
	t.Parallel()
	s, err := buildSmallest("../..", t.TempDir())
	must(t, err)
	before, err := below()
	must(t, err)
	one, err := s.measure(5)
	must(t, err)
	after, err := below()
	must(t, err)
	if one.processor <= 0 || one.wall <= 0 || after <= before {
		t.Errorf("one start: %v; all: %v, then %v", one, before, after)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
