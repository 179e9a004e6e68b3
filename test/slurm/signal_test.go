package slurm

import (
	"strings"
	"testing"
	"time"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// counting says each time that a signal arrives, and stays. The loop does nothing in child processes
// that take long: busybox waits for them before it handles a signal.
const counting = `
trap 'echo USR1' USR1; trap 'echo USR2' USR2; trap 'echo TERM; exit 3' TERM
echo ready
while :; do sleep 0.1; done`

// A signal reaches the program, whether or not it is process 1 of the container, and once.
func TestSignals(t *testing.T) { eachOfAll(t, signals) }

// proctrack/pgid signals the task's process group, in which there is only the runtime.
func TestSignalsToGroup(t *testing.T) {
	eachOwn(t, cluster.Options{Lines: []string{"ProctrackType=proctrack/pgid"}}, signals)
}

func signals(t *testing.T, s *site) {
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
}

// Some signals for a batch job go to the task's process alone, which is the runtime, others to every
// process: the program gets each of them, and once.
func TestSignalsToBatch(t *testing.T) {
	plain := func(t *testing.T, s *site) { signalsToBatch(t, s, s.bundle(t)) }
	each(t, plain)
	eachFurther(t, []string{"nvidia", "singularity"}, plain)
}

// These runtimes become the program in the task's own process, and have no pid namespace: without a berth-init
// that stays the program is the task.
func TestSignalsToBatchWithoutInit(t *testing.T) {
	needRoot(t)
	t.Parallel()
	eachFurther(t, []string{"charliecloud", "enroot"}, func(t *testing.T, s *site) {
		signalsToBatch(t, s, s.bundle(t, set("false", "annotations", "org.berth.init")))
	})
}

func signalsToBatch(t *testing.T, s *site, bundle string) {
	job := s.submit(t, call{args: []string{"--container", bundle, "--wrap", counting}})
	want := "ready\n"
	job.wrote(want)
	for _, sent := range [][]string{{"USR1", "--batch"}, {"USR2", "--full"}, {"USR1", "--batch"}, {"USR2", "--batch"}} {
		if s.driver == "singularity" && sent[0] == "USR2" && strings.Contains(want, "USR2") {
			break // after one for all it would be taken for the runtime's copy of that, for a while
		}
		s.asRoot(t, "scancel", "--signal="+sent[0], sent[1], job.id())
		want += sent[0] + "\n"
		job.wrote(want)
	}
	s.asRoot(t, "scancel", job.id())
	if r := job.result(); r.stdout != want+"TERM\n" {
		t.Errorf("each signal has to arrive once: %+v", r)
	}
}

// Children of the program's get what Slurm sends to every process from Slurm, once, and nothing of
// what it sends to the task alone.
func TestSignalsToChildren(t *testing.T) {
	const family = `(trap 'echo child USR1' USR1; trap 'echo child USR2' USR2; trap 'exit' TERM
echo child ready; while :; do sleep 0.1; done) &` + counting
	each(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		step := s.start(t, call{args: []string{"srun", "--container", bundle, "/bin/sh", "-c", family}})
		eventually(t, step.out.String, func() bool { return strings.Count(step.out.String(), "ready\n") == 2 })
		s.asRoot(t, "scancel", "--signal=USR1", step.id())
		eventually(t, step.out.String, func() bool { return strings.Count(step.out.String(), "USR1\n") == 2 })
		s.asRoot(t, "scancel", step.id())
		if r := step.wait(); strings.Count(r.stdout, "USR1") != 2 || strings.Count(r.stdout, "TERM") != 1 {
			t.Errorf("each signal has to arrive once: %+v", r)
		}
		batch := s.submit(t, call{args: []string{"--container", bundle, "--wrap", family}})
		eventually(t, batch.stdout, func() bool { return strings.Count(batch.stdout(), "ready\n") == 2 })
		s.asRoot(t, "scancel", "--signal=USR1", "--batch", batch.id())
		eventually(t, batch.stdout, func() bool { return strings.Contains(batch.stdout(), "USR1\n") })
		s.asRoot(t, "scancel", batch.id())
		if r := batch.result(); strings.Count(r.stdout, "USR1") != 1 || strings.Count(r.stdout, "TERM") != 1 {
			t.Errorf("each signal has to arrive once: %+v", r)
		}
	})
}

// A program without handlers dies by SIGTERM: it is gone long before KillWait is over.
func TestCancelWithoutHandler(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		const script = "echo ready; exec sleep 600"
		bundle := s.bundle(t)
		step := s.start(t, call{args: []string{"srun", "--container", bundle, "/bin/sh", "-c", script}})
		step.says("ready")
		batch := s.submit(t, call{args: []string{"--container", bundle, "--wrap", script}})
		batch.wrote("ready\n")
		for form, job := range map[string]*running{"step": step, "batch": batch.running} {
			id := job.id()
			begin := time.Now()
			s.asRoot(t, "scancel", id)
			s.gone(t, form, job, begin)
		}
		if r := step.wait(); r.status == 0 {
			t.Errorf("got %+v", r)
		}
	})
}

// gone checks that the processes of a job's container have ended before KillWait could have ended them. On a
// quiet machine it takes them well under two seconds, which the log tells.
func (s *site) gone(t testing.TB, what string, job *running, begin time.Time) {
	t.Helper()
	eventually(t, func() string { return "the end of its processes" }, func() bool { return len(s.pidsOf(job)) == 0 })
	took := time.Since(begin)
	t.Logf("%s: gone after %v", what, took.Round(10*time.Millisecond))
	if took > killWait*8/10 {
		t.Errorf("%s: it took %v", what, took)
	}
}

// What --signal=B: asks for goes to the batch job's task alone, SIGTERM to every process.
func TestTimeLimitOfBatch(t *testing.T) {
	if testing.Short() {
		t.Skip("Slurm's shortest time limit is a minute")
	}
	each(t, func(t *testing.T, s *site) {
		job := s.submit(t, call{args: []string{"--time=1", "--signal=B:USR1@20", "--container", s.bundle(t), "--wrap", counting}})
		job.wrote("ready\n")
		// Slurm looks at time limits twice a minute.
		within(t, 2*patience, job.stdout, func() bool { return strings.HasSuffix(job.stdout(), "TERM\n") })
		if r := job.result(); r.stdout != "ready\nUSR1\nTERM\n" {
			t.Errorf("each signal has to arrive once: %+v", r)
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
		eventually(t, func() string { return "the job's state TIMEOUT" }, func() bool {
			state := s.asRoot(t, "squeue", "--noheader", "--states=all", "--format=%T", "--jobs="+job.id())
			return strings.TrimSpace(state) == "TIMEOUT"
		})
	})
}
