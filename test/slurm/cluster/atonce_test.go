package cluster

import "testing"

func TestAtOnceFollowsCoresAndLoad(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		cores int
		load  float64
		want  int
	}{{1, 0, 4}, {1, 50, 2}, {2, 0.4, 8}, {2, 1.2, 7}, {2, 50, 4}, {4, 2, 14}, {4, 50, 8}, {64, 0, 16}, {64, 200, 16}} {
		if got := atOnce(c.cores, c.load); got != c.want {
			t.Errorf("%d cores, load %v: %d tests at once, want %d", c.cores, c.load, got, c.want)
		}
	}
}
