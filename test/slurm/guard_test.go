package slurm

import (
	"os"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// Where a node would run a container job on the bare node, the TaskProlog of contrib/ refuses it and
// says so; other jobs do not notice. "berth doctor" reports the node.
func TestGuard(t *testing.T) {
	prolog, err := os.ReadFile("../../contrib/slurm/task-prolog")
	if err != nil {
		t.Fatal(err)
	}
	options := cluster.Options{
		Lines: []string{"TaskProlog=/etc/slurm/task-prolog"},
		Files: map[string]string{"task-prolog": string(prolog)},
	}
	eachOne(t, options, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		s.checkGuard(t, bundle, "")
		s.without(t, "/usr/local/bin/berth", func() { s.checkGuard(t, bundle, "berth is not installed") })
		s.without(t, "/etc/slurm/oci.conf", func() {
			s.checkGuard(t, bundle, "there is no /etc/slurm/oci.conf")
			out, err := s.node().Output(t.Context(), "root", "berth", "doctor") // its status is about the whole node
			if !strings.Contains(out, "slurmd is installed, but there is no /etc/slurm/oci.conf") {
				t.Errorf("doctor says nothing of oci.conf: %v\n%s", err, out)
			}
			s.without(t, "/usr/local/bin/berth", func() { s.checkGuard(t, bundle, "berth is not installed") })
		})
	})
}

// checkGuard checks that container jobs are refused for the reason, "" for none, and ordinary ones not.
func (s *site) checkGuard(t *testing.T, bundle, reason string) {
	t.Helper()
	if out := s.ok(t, "srun", "hostname"); out != "n1\n" {
		t.Errorf("an ordinary step: %q", out)
	}
	if r := s.submit(t, call{args: []string{"--wrap", "hostname"}}).result(); r != (result{0, "n1\n", ""}) {
		t.Errorf("an ordinary batch job: %+v", r)
	}
	step := s.run(t, "srun", "--quiet", "--container", bundle, "hostname")
	job := s.submit(t, call{args: []string{"--container", bundle, "--wrap", "hostname"}})
	batch := job.result()
	s.checkLeft(t, job.name, []string{job.id()}) // what removes it may be away soon
	for form, r := range map[string]result{"step": step, "batch": batch} {
		switch {
		case reason == "" && r != (result{0, "container\n", ""}):
			t.Errorf("%s: got %+v", form, r)
		case reason != "" && (r.status != 125 || !strings.HasPrefix(r.stdout, "berth: ") || !strings.Contains(r.stdout, reason) || strings.Contains(r.stdout, "n1\n")):
			t.Errorf("%s: want status 125 because %s, got %+v", form, reason, r)
		}
	}
}

// without does something while a file of the node is away.
func (s *site) without(t testing.TB, file string, do func()) {
	t.Helper()
	s.asRoot(t, "mv", file, file+".away")
	do()
	s.asRoot(t, "mv", file+".away", file)
}
