package slurm

import (
	"strings"
	"testing"
)

// What "berth slurm conf --check" says of a file is what Slurm then does with it.
func TestCheckedConf(t *testing.T) {
	eachOne(t, plain, func(t *testing.T, s *site) {
		good, err := s.node().ReadFile("/etc/slurm/oci.conf")
		if err != nil {
			t.Fatal(err)
		}
		bundle := s.bundle(t)
		for name, c := range map[string]struct{ conf, says string }{
			"berth's own":           {good, "good"},
			"an unknown option":     {good + "RunTimeRunn=x\n", "Slurm refuses the whole file"},
			"half quoted":           {strings.Replace(good, `--signals=direct"`, `--signals=direct`, 1), "Slurm refuses the whole file"},
			"an unknown pattern":    {strings.Replace(good, `--signals=direct"`, `--signals=direct %i"`, 1), "every container job fails"},
			"nothing to kill with":  {strings.Replace(good, "RunTimeKill=", "#", 1), "RunTimeKill: missing"},
			"nothing runs anything": {strings.Replace(good, "RunTimeRun=", "#", 1), "no command runs a container"},
		} {
			if err := s.node().WriteFile("/etc/slurm/oci.conf", c.conf, 0o644); err != nil {
				t.Fatal(err)
			}
			out, err := s.node().Output(t.Context(), "root", "berth", "slurm", "conf", "--check", "/etc/slurm/oci.conf")
			works := c.says == "good"
			if (err == nil) != works || !strings.Contains(out, c.says) {
				t.Errorf("%s: checked with %v, said %q", name, err, out)
			}
			job := s.start(t, call{args: []string{"srun", "--container", bundle, "/bin/echo", "ran"}})
			job.mayLeave = !works // slurmstepd dies at once
			r := job.wait()
			if (r.stdout == "ran\n") != works || (r.status == 0) != works {
				t.Errorf("%s: got %+v", name, r)
			}
		}
		if s.release.before("23.02") {
			return // it has no DisableHooks
		}
		if err := s.node().WriteFile("/etc/slurm/oci.conf", good+"DisableHooks=prestart\n", 0o644); err != nil {
			t.Fatal(err)
		}
		hooked := s.bundle(t, set(list{object{"path": "/bin/touch", "args": list{"touch", "/tmp/pwned"}}}, "hooks", "prestart"))
		refusal(t, "DisableHooks", s.run(t, "srun", "--container", hooked, "/bin/echo", "ran"), "hooks")
	})
}
