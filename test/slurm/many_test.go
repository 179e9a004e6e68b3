package slurm

import (
	"fmt"
	"slices"
	"strings"
	"testing"
)

func TestManySteps(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		const script = `i=0; while [ $i -lt 64 ]; do srun --container "$0" /bin/echo $i || exit; i=$((i+1)); done`
		r := s.run(t, "salloc", "--quiet", "sh", "-c", script, s.bundle(t))
		var want strings.Builder
		for i := range 64 {
			fmt.Fprintln(&want, i)
		}
		if r.status != 0 || r.stdout != want.String() {
			t.Errorf("got %+v", r)
		}
	})
}

// Before 23.02, Slurm takes one task of a container step per node: there it is 16 steps at once.
func TestManyTasksAtOnce(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		var lines []string
		if s.release.before("23.02") {
			var jobs []*running
			for i := range 16 {
				jobs = append(jobs, s.start(t, call{args: []string{"srun", "--container", bundle, "/bin/echo", fmt.Sprint(i)}}))
			}
			for _, job := range jobs {
				r := job.wait()
				if r.status != 0 || chatter.ReplaceAllString(r.stderr, "") != "" {
					t.Errorf("got %+v", r)
				}
				lines = append(lines, strings.TrimSpace(r.stdout))
			}
		} else {
			lines = strings.Fields(s.ok(t, "srun", "--ntasks=16", "--container", bundle, "/bin/sh", "-c", "echo $SLURM_PROCID"))
		}
		var want []string
		for i := range 16 {
			want = append(want, fmt.Sprint(i))
		}
		slices.Sort(want)
		slices.Sort(lines)
		if !slices.Equal(lines, want) {
			t.Errorf("answers %q", lines)
		}
	})
}

func TestTwoNodes(t *testing.T) {
	eachOwn(t, twoNodes, func(t *testing.T, s *site) {
		if s.release.before("23.02") {
			if out := s.ok(t, "srun", "--nodes=2", "--ntasks=2", "--label", "--container", s.bundle(t), "hostname"); len(out) != len("0: container\n1: container\n") {
				t.Errorf("got %q", out)
			}
			return
		}
		out := s.ok(t, "srun", "--nodes=2", "--ntasks-per-node=4", "--container", s.bundle(t), "/bin/sh", "-c", "echo $SLURMD_NODENAME $(hostname)")
		got := strings.Split(strings.TrimSpace(out), "\n")
		slices.Sort(got)
		want := slices.Concat(slices.Repeat([]string{"n1 container"}, 4), slices.Repeat([]string{"n2 container"}, 4))
		if !slices.Equal(got, want) {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
