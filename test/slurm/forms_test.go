package slurm

import (
	"fmt"
	"testing"
)

// The forms of "Requesting container jobs or steps" in Slurm's Containers Guide; the interactive step
// is TestInteractiveStep.
func TestForms(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		script := func(name, text string) string {
			t.Helper()
			path := fmt.Sprintf("/home/berthtest/%s-%s.sh", name, s.driver)
			if err := s.node().WriteFile(path, text, 0o755); err != nil {
				t.Fatal(err)
			}
			return path
		}
		const in = "container\n"
		for name, c := range map[string]struct {
			call call
			want string
		}{
			"batch step in a container":  {call{args: []string{"--container", bundle, script("batch", "#!/bin/sh\nhostname\n")}}, in},
			"batch step, in the script":  {call{args: []string{script("inside", "#!/bin/sh\n#SBATCH --container="+bundle+"\nhostname\n")}}, in},
			"batch step, wrapped":        {call{args: []string{"--container", bundle, "--wrap", "hostname"}}, in},
			"batch step, environment":    {call{args: []string{"--wrap", "hostname"}, env: []string{"SBATCH_CONTAINER=" + bundle}}, in},
			"step 0 of a batch job":      {call{args: []string{"--wrap", "hostname; srun --container " + bundle + " hostname"}}, "n1\n" + in},
			"steps 0 and 1":              {call{args: []string{"--wrap", "srun --container " + bundle + " hostname; srun --container " + bundle + " pwd"}}, in + "/\n"},
			"steps with and without one": {call{args: []string{"--wrap", "srun hostname; srun --container " + bundle + " hostname; srun hostname"}}, "n1\n" + in + "n1\n"},
		} {
			if r := s.submit(t, c.call).result(); r.status != 0 || r.stdout != c.want {
				t.Errorf("%s: got %+v", name, r)
			}
		}
		for name, c := range map[string]struct {
			args []string
			want string
		}{
			"srun alone":            {[]string{"srun", "--container", bundle, "hostname"}, in},
			"step of an allocation": {[]string{"salloc", "--quiet", "srun", "--container", bundle, "hostname"}, in},
			"two steps of an allocation": {[]string{"salloc", "--quiet", "sh", "-c",
				"srun --quiet --container $0 hostname; srun --quiet --container $0 hostname", bundle}, in + in},
			"nested srun": {[]string{"srun", "sh", "-c", "hostname; srun --overlap --container $0 hostname", bundle}, "n1\n" + in},
		} {
			if r := s.run(t, c.args...); r.status != 0 || r.stdout != c.want {
				t.Errorf("%s: got %+v", name, r)
			}
		}
		got := s.start(t, call{args: []string{"srun", "hostname"}, env: []string{"SRUN_CONTAINER=" + bundle}}).wait()
		if got.status != 0 || got.stdout != in {
			t.Errorf("SRUN_CONTAINER: got %+v", got)
		}
	})
}

// What Slurm calls the container is kept for those who look for it.
func TestContainerID(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		if s.release.before("23.02") {
			return // it has no such option
		}
		job := s.start(t, call{args: []string{"srun", "--container-id=chosen", "--container", s.bundle(t), "/bin/sh", "-c", "echo ready; exec sleep 100000"}})
		job.says("ready")
		record := s.record(t, job)
		if record["containerId"] != "chosen" {
			t.Errorf("the record is %v", record)
		}
		s.asRoot(t, "scancel", job.id())
		job.wait()
	})
}
