package slurm

import "testing"

func TestTaskOf(t *testing.T) {
	for id, want := range map[string]Task{
		"7.0.3.n1":              {"7", "0", 3, "n1"},
		"7.4294967291.0.n1.com": {"7", "4294967291", 0, "n1.com"},
		"7.0.03.n1":             {},
		"7.0.-1.n1":             {},
		"a.0.0.n1":              {},
		"7.0.0":                 {},
		"my-container":          {},
	} {
		got, ours := taskOf(id)
		if ours != (want != Task{}) || ours && got != want {
			t.Errorf("taskOf(%q) = %+v, %v, want %+v", id, got, ours, want)
		}
	}
}
