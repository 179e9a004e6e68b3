package slurm

import (
	"strings"
	"testing"
)

// Devices come by the job's wish in its environment, where the site lets it, in steps and batch jobs.
func TestDevicesOfJob(t *testing.T) {
	options := plain
	options.Config = "[policy]\ndevices = [\"nvidia.com/gpu=*\"]\n"
	eachOne(t, options, func(t *testing.T, s *site) {
		s.gpu(t)
		const script = "echo $GPU; head -c 2 /dev/zero | wc -c; exit 7"
		bundle, env := s.bundle(t), []string{"BERTH_DEVICES=nvidia.com/gpu=0"}
		for form, r := range map[string]result{
			"step":  s.start(t, call{args: []string{"srun", "--quiet", "--container", bundle, "/bin/sh", "-c", script}, env: env}).wait(),
			"batch": s.submit(t, call{args: []string{"--container", bundle, "--wrap", script}, env: env}).result(),
		} {
			if r.status != 7 || r.stdout != "zero\n2\n" {
				t.Errorf("%s: %+v", form, r)
			}
		}
		r := s.start(t, call{args: []string{"srun", "--quiet", "--container", bundle, "/bin/echo"}, env: []string{"BERTH_DEVICES=/dev/fuse"}}).wait()
		refusal(t, "a device that the policy does not name", r, `device "/dev/fuse" is not allowed`)
	})
}

// A job's script and its steps that call berth themselves have the GPUs that Slurm has given them.
func TestRunInJob(t *testing.T) {
	eachRelease(t, limited, []string{"nvidia"}, func(t *testing.T, s *site) {
		if s.release.before("23.02") {
			return // these nodes have no nvidia-container-runtime
		}
		s.gpu(t)
		script := "berth run " + s.bundle(t) + " -- sh -c 'echo gpu $GPU; exit 7'"
		const gpus = "export SLURM_STEP_GPUS=0; " // as Slurm says where it has GPUs to give
		for form, c := range map[string]struct {
			r    result
			want string
		}{
			"step":          {s.run(t, "srun", "--quiet", "sh", "-c", gpus+script), "gpu zero\n"},
			"without a GPU": {s.run(t, "srun", "--quiet", "sh", "-c", script), "gpu\n"},
			"batch":         {s.submit(t, call{args: []string{"--wrap", gpus + script}}).result(), "gpu zero\n"},
			"outside a job": {s.run(t, "sh", "-c", gpus+script), "gpu\n"},
		} {
			if c.r.status != 7 || c.r.stdout != c.want {
				t.Errorf("%s: %+v, want %q", form, c.r, c.want)
			}
		}
		job := s.start(t, call{args: []string{"srun", "--quiet", "sh", "-c", "exec berth run " + s.bundle(t) + " -- sh -c 'echo ready; exec sleep 100000'"}})
		job.says("ready")
		if listed := s.run(t, "berth", "ps", "--json", "--job", job.id()); !strings.Contains(listed.stdout, `"job": "`+job.id()+`"`) {
			t.Errorf("berth ps --job: %+v", listed)
		}
		s.asRoot(t, "scancel", job.id())
		job.wait()
	})
}
