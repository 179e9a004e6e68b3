package slurm

import (
	"fmt"
	"strings"
	"testing"
)

func TestExitStatus(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		for script, want := range map[string]int{
			"exit 0": 0, "exit 1": 1, "exit 42": 42, "exit 255": 255,
			"kill -TERM $$": 128 + 15, "kill -KILL $$": 128 + 9, "kill -SEGV $$": 128 + 11,
		} {
			script = "echo out; echo err >&2; " + script
			step := s.start(t, call{args: []string{"srun", "--container", bundle, "/bin/sh", "-c", script}})
			batch := s.submit(t, call{args: []string{"--container", bundle, "--wrap", script}})
			if r := step.wait(); r.status != want || r.stdout != "out\n" || !strings.Contains(r.stderr, "err\n") {
				t.Errorf("step: %s: want status %d, got %+v", script, want, r)
			}
			if r := batch.result(); r != (result{want, "out\n", "err\n"}) {
				t.Errorf("batch: %s: want status %d, got %+v", script, want, r)
			}
		}
	})
}

// Slurm looks for the command on the node; what it found there need not be in the container.
func TestCommand(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		if err := s.node().WriteFile("/usr/bin/berth-test-only-here", "#!/bin/sh\necho the node\n", 0o755); err != nil {
			t.Fatal(err)
		}
		if out := s.ok(t, "srun", "--container", bundle, "uptime"); !strings.Contains(out, "load average") {
			t.Errorf("uptime: %q", out)
		}
		for command, want := range map[string]int{
			"berth-test-only-here": 127, "/bin/no-such-thing": 127, "no-such-thing": 127, "/etc": 126,
		} {
			r := s.run(t, "srun", "--container", bundle, command)
			if r.status != want || r.stdout != "" || !strings.Contains(r.stderr, command) {
				t.Errorf("%s: want status %d, got %+v", command, want, r)
			}
		}
	})
}

func TestWorkingDirectory(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t, set("/tmp", "process", "cwd"))
		_ = s.asRoot(t, "mkdir", "-p", "/work", "/only-on-the-node")
		for dir, want := range map[string]string{"/work": "/work", "/only-on-the-node": "/tmp"} {
			if s.release.before("23.02") {
				want = "/tmp" // it tells no runtime
			}
			got := s.ok(t, "srun", "--chdir", dir, "--container", bundle, "/bin/sh", "-c", "pwd")
			if got != want+"\n" {
				t.Errorf("--chdir %s: works in %q, want %q", dir, got, want)
			}
		}
		// Without --chdir it is the directory of the shell that called srun.
		r := s.start(t, call{args: []string{"sh", "-c", "cd /work && exec srun --container $0 /bin/sh -c pwd", bundle}}).wait()
		if r.status != 0 || r.stdout != "/work\n" {
			t.Errorf("without --chdir: %+v", r)
		}
	})
}

func TestTaskIdentity(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		got := s.ok(t, "srun", "--container", s.bundle(t), "/bin/sh", "-c", "echo $SLURM_PROCID $SLURM_LOCALID $SLURMD_NODENAME $SLURM_JOB_USER")
		if want := fmt.Sprintln("0 0 n1 berthtest"); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	})
}
