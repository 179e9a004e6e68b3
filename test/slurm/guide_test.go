package slurm

import (
	"testing"
)

// The clusters and the tests' own tools, tried with the guide's templates and no berth at all.
func TestGuide(t *testing.T) {
	eachGuide(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		t.Run("status and output", func(t *testing.T) {
			r := s.run(t, "srun", "--container", bundle, "/bin/sh", "-c", "echo out; echo err >&2; exit 42")
			if r.status != 42 || r.stdout != "out\n" {
				t.Errorf("got %+v", r)
			}
		})
		t.Run("scancel", func(t *testing.T) {
			job := s.start(t, call{args: []string{"srun", "--container", bundle, "/bin/sh", "-c", "trap 'echo stopped; exit 3' TERM; echo ready; while :; do sleep 0.1; done"}})
			job.says("ready")
			s.asRoot(t, "scancel", job.id())
			if r := job.wait(); r.status == 0 {
				t.Errorf("got %+v", r)
			}
		})
	})
}
