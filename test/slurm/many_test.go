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
	eachOfAll(t, func(t *testing.T, s *site) {
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

// Each task knows who it is, on two nodes and as the only one on the second, also in a step of a batch
// job, which inherits what the batch script's own task was told.
func TestTwoNodes(t *testing.T) {
	eachOwn(t, twoNodes, func(t *testing.T, s *site) {
		perNode := 4
		if s.release.before("23.02") {
			perNode = 1
		}
		const tell = "echo $SLURM_PROCID $SLURM_NODEID $SLURM_LOCALID $SLURMD_NODENAME $(hostname)"
		var want []string
		for i := range 2 * perNode {
			want = append(want, fmt.Sprintf("%d %d %d n%d container", i, i/perNode, i%perNode, i/perNode+1))
		}
		check := func(form, out string, want ...string) {
			t.Helper()
			got := strings.Split(strings.TrimSpace(out), "\n")
			if slices.Sort(got); !slices.Equal(got, want) {
				t.Errorf("%s: got %q, want %q", form, got, want)
			}
		}
		bundle, tasks := s.bundle(t), fmt.Sprintf("--ntasks-per-node=%d", perNode)
		check("srun", s.ok(t, "srun", "--nodes=2", tasks, "--container", bundle, "/bin/sh", "-c", tell), want...)
		check("the second node", s.ok(t, "srun", "--nodelist=n2", "--container", bundle, "/bin/sh", "-c", tell), "0 0 0 n2 container")
		script := fmt.Sprintf("srun %s --container %s /bin/sh -c '%s'", tasks, bundle, tell)
		batch := s.submit(t, call{args: []string{"--nodes=2", tasks, "--wrap", script}}).result()
		check("step of a batch job", batch.stdout, want...)
		batch = s.submit(t, call{args: []string{"--nodes=2", tasks, "--container", bundle, "--wrap", tell}}).result()
		check("batch step", batch.stdout, "0 0 0 n1 container")
	})
}
