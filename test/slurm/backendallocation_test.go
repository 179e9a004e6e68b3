package slurm

import (
	"strings"
	"testing"
)

// In an allocation the container is a step of it: one task, on what the allocation has, and the job goes on.
// What is said of the job comes from the caller's variables, if he hands them on as podman's --env-host does.
func TestBackendAllocation(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		for name, env := range map[string][]string{"caller's": nil, "handed on": {"SLURM_JOB_ID", "SLURM_JOB_NUM_NODES", "SLURM_NTASKS"}} {
			r := s.prepare(t, call{})
			line := strings.Join(s.berthRun(r, env, bundle, "sh", "-c", `'echo $SLURM_JOB_ID $SLURM_NTASKS $SLURM_JOB_NUM_NODES; exit 4'`), " ")
			r.cmd.Args = append(r.cmd.Args, "salloc", "--quiet", "--nodes=2", "--ntasks=7", "--job-name="+r.name, "sh", "-c",
				line+`; echo $? $SLURM_JOB_ID; berth delete --force `+r.name+`; squeue --noheader --jobs=$SLURM_JOB_ID --format=%T`)
			r.begin()
			got := r.wait()
			nodes := ""
			if env != nil {
				nodes = " 2"
			}
			if id := r.id(); got.stdout != id+" 1"+nodes+"\n4 "+id+"\nRUNNING\n" {
				t.Errorf("%s: job %s, got %+v", name, id, got)
			}
		}
	})
}

// A container in an allocation of somebody's is killed and deleted without the job.
func TestBackendStepKilled(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		allocation := s.prepare(t, call{})
		allocation.cmd.Args = append(allocation.cmd.Args, "salloc", "--quiet", "--job-name="+allocation.name, "--no-shell")
		allocation.begin()
		allocation.wait()
		id := allocation.id()
		job := s.job(t, call{env: []string{"SLURM_JOB_ID=" + id}}, s.bundle(t), "sh", "-c", "echo ready; exec sleep 100000")
		job.says("ready")
		if r := s.kill(t, job, "KILL"); r.status != 0 || r.stderr != "" {
			t.Errorf("%+v", r)
		}
		if r := job.wait(); r.status != 128+9 {
			t.Errorf("%+v", r)
		}
		s.over(t, job)
		if state := s.asRoot(t, "squeue", "--noheader", "--jobs="+id, "--format=%T"); state != "RUNNING\n" {
			t.Errorf("the job is %q", state)
		}
		s.asRoot(t, "scancel", id)
	})
}
