package slurm

import (
	"encoding/json"
	"testing"
)

// "berth ps --job" tells a job's user of that job's containers alone.
func TestPs(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		args := []string{"srun", "--container", bundle, "/bin/sh", "-c", "echo ready; exec sleep 100000"}
		job, other := s.start(t, call{args: args}), s.start(t, call{args: args})
		job.says("ready")
		other.says("ready")
		listed := s.start(t, call{args: []string{"berth", "ps", "--json", "--job", job.id()}}).wait()
		var list []object
		if err := json.Unmarshal([]byte(listed.stdout), &list); err != nil || len(list) != 1 {
			t.Fatalf("want one container: %v, %+v", err, listed)
		}
		for name, want := range map[string]any{
			"id": job.id() + ".0.0.n1", "job": job.id(), "step": "0", "node": "n1", "driver": s.driver, "status": "running", "bundle": bundle,
		} {
			if list[0][name] != want {
				t.Errorf("%s is %v, want %v", name, list[0][name], want)
			}
		}
		s.asRoot(t, "scancel", job.id(), other.id())
		job.wait()
		other.wait()
	})
}
