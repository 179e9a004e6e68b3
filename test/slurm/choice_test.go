package slurm

import (
	"fmt"
	"testing"
)

// Which driver a job gets: the site's default, its rules, and the job's own wish where it may wish.
func TestChoiceOfDriver(t *testing.T) {
	eachOwn(t, plain, func(t *testing.T, s *site) {
		other := drivers[0]
		if s.driver == other {
			other = drivers[1]
		}
		config := fmt.Sprintf("default_driver = %q\n[[rules]]\npartition = [\"oth*\"]\ndriver = %q\n", s.driver, other)
		free := config + "[policy]\nuser_drivers = [\"*\"]\n"
		bound := config + "[policy]\nuser_drivers = []\n"
		annotated := s.bundle(t, set(other, "annotations", "org.berth.driver"))
		plain := s.bundle(t)
		for _, c := range []struct {
			name, config, bundle string
			args, env            []string
			want                 string
		}{
			{"the default", free, plain, nil, nil, s.driver},
			{"the first that works", "default_driver = \"auto\"\n", plain, nil, nil, "crun"},
			{"a rule", free, plain, []string{"--partition=other"}, nil, other},
			{"a wish in the environment", free, plain, nil, []string{"BERTH_DRIVER=" + other}, other},
			{"a wish in the bundle", free, annotated, nil, nil, other},
			{"a wish against the policy", bound, plain, nil, []string{"BERTH_DRIVER=" + other}, ""},
		} {
			if err := s.node().WriteFile("/etc/berth/berth.toml", c.config, 0o644); err != nil {
				t.Fatal(err)
			}
			args := append(append([]string{"srun"}, c.args...), "--container", c.bundle, "/bin/sh", "-c", "echo ready; exec sleep 100000")
			if c.want == "" {
				refusal(t, c.name, s.start(t, call{args: args, env: c.env}).wait(), "policy")
				continue
			}
			job := s.start(t, call{args: args, env: c.env})
			job.says("ready")
			if got := s.record(t, job)["driver"]; got != c.want {
				t.Errorf("%s: driver %v, want %s", c.name, got, c.want)
			}
			s.asRoot(t, "scancel", job.id())
			job.wait()
		}
	})
}
