package drivertest

import (
	"fmt"
	"maps"
	"os"
	"slices"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
)

func descriptorCases() []Case {
	return []Case{
		{"descriptors/passed",
			"The descriptors that the caller declares reach the program under their own numbers, as the same files.",
			"PMI's socket does not reach the MPI library.",
			(*trial).filesPassed},
		{"descriptors/no-more",
			"The program has no other descriptors than the standard streams and the declared ones.",
			"CVE-2024-21626: a leaked descriptor of the node's file system is the way out of the container.",
			(*trial).filesNoMore},
	}
}

func (t *trial) filesPassed() {
	extra := []*os.File{t.file("third"), t.file("fourth")}
	r := t.report(t.container([]string{"report"}), launcher.Request{}, streams{files: extra})
	for i, f := range extra {
		dev, ino := identity(f)
		if got, ok := r.Files[3+i]; !ok || got.Dev != dev || got.Ino != ino {
			t.Errorf("descriptor %d is not the caller's file: %+v", 3+i, got)
		}
	}
	t.onlyFiles(slices.Sorted(maps.Keys(r.Files)), 5)
}

func (t *trial) filesNoMore() {
	r := t.report(t.container([]string{"report"}), launcher.Request{}, streams{env: []string{"LISTEN_FDS=3"}})
	t.onlyFiles(slices.Sorted(maps.Keys(r.Files)), 3)
}

func (t *trial) onlyFiles(got []int, n int) {
	var want []int
	for fd := range n {
		want = append(want, fd)
	}
	if !slices.Equal(got, want) {
		t.Errorf("the program has the descriptors %s instead of %s", fmt.Sprint(got), fmt.Sprint(want))
	}
}
