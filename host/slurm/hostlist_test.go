package slurm

import "testing"

func TestPosition(t *testing.T) {
	for _, c := range []struct {
		list, node string
		want       int // -1: none
	}{
		{"n1", "n1", 0},
		{"n[1-2]", "n1", 0},
		{"n[1-2]", "n2", 1},
		{"n[1-2]", "n3", -1},
		{"n[1-2]", "m1", -1},
		{"n[1-2]", "n01", -1},
		{"n[08-11]", "n08", 0},
		{"n[08-11]", "n10", 2},
		{"n[08-11]", "n8", -1},
		{"n[8-11]", "n11", 3},
		{"n[1,3-5,9],m[01-02],login", "n1", 0},
		{"n[1,3-5,9],m[01-02],login", "n5", 3},
		{"n[1,3-5,9],m[01-02],login", "n9", 4},
		{"n[1,3-5,9],m[01-02],login", "m02", 6},
		{"n[1,3-5,9],m[01-02],login", "login", 7},
		{"login,n[1-2]", "n2", 2},
		{"n1,m1,n2", "n2", 2},
		{"n[5,1]", "n1", 1}, // in the order of the list, which --distribution=arbitrary chooses
		{"r0n[0-3],r1n[0-3]", "r1n2", 6},
		{"n[0-99999]", "n99999", 99999},
		{"", "n1", -1},
		{"", "", -1},
		{"n[1-2", "n1", -1},
		{"n]1[", "n1", -1},
		{"n[2-1]", "n1", -1},
		{"n[a-b]", "na", -1},
		{"n[1-2]x,n[1-2]", "n1", -1}, // Slurm writes no such thing
		{"r[0-1]n[0-3]", "r0n0", -1},
	} {
		got, found := position(c.list, c.node)
		if !found {
			got = -1
		}
		if got != c.want {
			t.Errorf("position(%q, %q) = %d, want %d", c.list, c.node, got, c.want)
		}
	}
}
