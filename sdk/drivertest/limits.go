package drivertest

import (
	"maps"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

func (t *trial) limits() {
	set := map[int]probe.Limit{
		unix.RLIMIT_NOFILE: {Cur: 4001, Max: 8009},
		unix.RLIMIT_STACK:  {Cur: 4001 << 10, Max: 8009 << 10},
		unix.RLIMIT_CORE:   {Cur: 0, Max: 0},
	}
	c := t.container([]string{"report"}, func(spec *specs.Spec) {
		own := set[unix.RLIMIT_NOFILE]
		spec.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: own.Cur, Hard: own.Max}} // as the host does
	})
	r := t.report(c, launcher.Request{Limits: set}, streams{})
	for _, resource := range slices.Sorted(maps.Keys(r.Limits)) {
		want, ok := set[resource]
		if !ok {
			var l unix.Rlimit
			t.must(unix.Getrlimit(resource, &l))
			want = probe.Limit{Cur: l.Cur, Max: l.Max}
		}
		if got := r.Limits[resource]; got != want {
			t.Errorf("resource limit %d (getrlimit(2)) is %d:%d instead of %d:%d", resource, got.Cur, got.Max, want.Cur, want.Max)
		}
	}
}

func (t *trial) limitsNamed() {
	c := t.container([]string{"report"}, func(spec *specs.Spec) {
		spec.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 1009, Hard: 2003}}
	})
	r := t.report(c, launcher.Request{}, streams{})
	if got, want := r.Limits[unix.RLIMIT_NOFILE], (probe.Limit{Cur: 1009, Max: 2003}); got != want {
		t.Errorf("the limit of open files is %d:%d instead of %d:%d", got.Cur, got.Max, want.Cur, want.Max)
	}
}
