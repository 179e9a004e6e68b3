package slurm

import (
	"testing"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// The clusters and the tests' own tools, tried with the guide's templates and no berth at all.
func TestGuide(t *testing.T) {
	eachOwn(t, plain, func(t *testing.T, s *site) {
		s.useGuide(t)
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

// useGuide has the nodes run containers by a template of the guide. These leave state directories and processes,
// which is one reason for berth: nobody else can have the cluster.
func (s *site) useGuide(t *testing.T) {
	t.Helper()
	s.guide, s.leaves, s.spoiled = true, true, true
	if err := s.node().WriteFile("/etc/slurm/oci.conf", cluster.GuideOCI(s.driver), 0o644); err != nil {
		t.Fatal(err)
	}
}
