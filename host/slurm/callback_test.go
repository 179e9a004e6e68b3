package slurm

import (
	"slices"
	"testing"
)

// Where the time for what killed steps have left is up at once, each call does away with one all the same, and
// further calls with the rest.
func TestSweepWithNoTime(t *testing.T) {
	left := []string{"c1", "1.0.0.node1", "other", "1.0.1.node1", "2.0.0.node1"}
	ours := []string{"1.0.0.node1", "1.0.1.node1", "2.0.0.node1"}
	for calls := 1; ; calls++ {
		var done []string
		someOf(left, func() bool { return true }, func(id string, _ Task) { done = append(done, id) })
		if len(ours) == 0 {
			if len(done) != 0 {
				t.Errorf("nothing is left, and yet %q is", done)
			}
			return
		}
		if len(done) != 1 || !slices.Contains(ours, done[0]) {
			t.Fatalf("call %d did %q of %q", calls, done, ours)
		}
		is := func(id string) bool { return id == done[0] }
		left, ours = slices.DeleteFunc(left, is), slices.DeleteFunc(ours, is)
	}
}

func TestSweepWithTime(t *testing.T) {
	var done []string
	someOf([]string{"1.0.0.node1", "other", "1.0.1.node1"}, func() bool { return false }, func(id string, _ Task) { done = append(done, id) })
	if len(done) != 2 {
		t.Errorf("did %q", done)
	}
}
