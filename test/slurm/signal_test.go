package slurm

import (
	"strings"
	"testing"
	"time"
)

// counting says each time that a signal arrives, and stays. The loop does nothing in child processes
// that take long: busybox waits for them before it handles a signal.
const counting = `
trap 'echo USR1' USR1; trap 'echo USR2' USR2; trap 'echo TERM; exit 3' TERM
echo ready
while :; do sleep 0.1; done`

// A signal reaches the program, whether or not it is process 1 of the container, and once.
func TestSignals(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		job := s.start(t, call{args: []string{"srun", "--container", bundle, "/bin/sh", "-c", counting}})
		job.says("ready")
		for _, name := range []string{"USR1", "USR2"} {
			s.asRoot(t, "scancel", "--signal="+name, job.id())
			job.says(name)
		}
		s.asRoot(t, "scancel", job.id())
		r := job.wait()
		if r.stdout != "ready\nUSR1\nUSR2\nTERM\n" {
			t.Errorf("each signal has to arrive once: %+v", r)
		}
	})
}

func TestSignalsToBatch(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		job := s.submit(t, call{args: []string{"--container", s.bundle(t), "--wrap", counting}})
		job.wrote("ready\n")
		s.asRoot(t, "scancel", "--signal=USR1", "--batch", job.id())
		job.wrote("USR1\n")
		s.asRoot(t, "scancel", job.id())
		if r := job.result(); r.stdout != "ready\nUSR1\nTERM\n" {
			t.Errorf("each signal has to arrive once: %+v", r)
		}
	})
}

// A program without handlers dies by SIGTERM: it is gone before KillWait is over.
func TestCancelWithoutHandler(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		job := s.start(t, call{args: []string{"srun", "--container", s.bundle(t), "/bin/sh", "-c", "echo ready; exec sleep 600"}})
		job.says("ready")
		s.asRoot(t, "scancel", job.id())
		cancelled := time.Now()
		eventually(t, func() string { return "the end of its processes" }, func() bool { return len(s.pidsOf(job)) == 0 })
		if took := time.Since(cancelled); took >= killWait {
			t.Errorf("it took %v, and KillWait is %v", took, killWait)
		}
		if r := job.wait(); r.status == 0 {
			t.Errorf("got %+v", r)
		}
	})
}

// At its time limit a job gets what --signal asks for, SIGTERM, and SIGKILL after KillWait.
func TestTimeLimit(t *testing.T) {
	if testing.Short() {
		t.Skip("Slurm's shortest time limit is a minute")
	}
	each(t, func(t *testing.T, s *site) {
		const stubborn = `trap 'echo USR1' USR1; trap 'echo TERM' TERM; echo ready; while :; do sleep 0.1; done`
		job := s.start(t, call{args: []string{"srun", "--time=1", "--signal=USR1@20", "--container", s.bundle(t), "/bin/sh", "-c", stubborn}})
		job.says("ready")
		job.says("USR1")
		r := job.wait()
		// The controller and srun each send a SIGTERM, to a program without a container too.
		said := strings.TrimSuffix(r.stdout, "TERM\n")
		if said != "ready\nUSR1\nTERM\n" && said != "ready\nUSR1\n" || r.status == 0 {
			t.Errorf("got %+v", r)
		}
		if state := s.asRoot(t, "squeue", "--noheader", "--states=all", "--format=%T", "--jobs="+job.id()); strings.TrimSpace(state) != "TIMEOUT" {
			t.Errorf("the job's state is %q", state)
		}
	})
}
