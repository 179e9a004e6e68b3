package slurm

import (
	"strings"
	"testing"
	"time"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// counting is a program that says each time that a signal arrives, and stays: see testdata/signals.c.
var counting = []string{"/bin/signals"}

// signalBundle is a bundle that has it.
func (s *site) signalBundle(t testing.TB, edits ...edit) string {
	t.Helper()
	dir := s.bundle(t, edits...)
	s.write(t, dir+"/rootfs/bin/signals", builtOnce(t, "testdata/signals.c"))
	return dir
}

// A signal reaches the program, whether or not it is process 1 of the container, and once.
func TestSignals(t *testing.T) { eachOfAll(t, signals) }

// proctrack/pgid signals the task's process group, in which there is only the runtime.
func TestSignalsToGroup(t *testing.T) {
	eachOwn(t, cluster.Options{Lines: []string{"ProctrackType=proctrack/pgid"}}, signals)
}

func signals(t *testing.T, s *site) {
	job := s.start(t, call{args: append([]string{"srun", "--container", s.signalBundle(t)}, counting...)})
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
	plain := func(t *testing.T, s *site) { signalsToBatch(t, s, s.signalBundle(t)) }
	each(t, plain)
	eachFurther(t, []string{"nvidia", "singularity"}, plain)
}

// These runtimes become the program in the task's own process, and have no pid namespace: without a berth-init
// that stays the program is the task.
func TestSignalsToBatchWithoutInit(t *testing.T) {
	needRoot(t)
	t.Parallel()
	eachFurther(t, []string{"charliecloud", "enroot"}, func(t *testing.T, s *site) {
		signalsToBatch(t, s, s.signalBundle(t, set("false", "annotations", "org.berth.init")))
	})
}

func signalsToBatch(t *testing.T, s *site, bundle string) {
	job := s.submit(t, call{args: []string{"--container", bundle, "--wrap", "exec " + counting[0]}})
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
	each(t, func(t *testing.T, s *site) {
		bundle, family := s.signalBundle(t), counting[0]+" child"
		step := s.start(t, call{args: append([]string{"srun", "--container", bundle}, strings.Fields(family)...)})
		await.True(t, step.out.String, func() bool { return strings.Count(step.out.String(), "ready\n") == 2 })
		s.asRoot(t, "scancel", "--signal=USR1", step.id())
		await.True(t, step.out.String, func() bool { return strings.Count(step.out.String(), "USR1\n") == 2 })
		s.asRoot(t, "scancel", step.id())
		if r := step.wait(); strings.Count(r.stdout, "USR1") != 2 || strings.Count(r.stdout, "TERM") != 1 {
			t.Errorf("each signal has to arrive once: %+v", r)
		}
		batch := s.submit(t, call{args: []string{"--container", bundle, "--wrap", "exec " + family}})
		await.True(t, batch.stdout, func() bool { return strings.Count(batch.stdout(), "ready\n") == 2 })
		s.asRoot(t, "scancel", "--signal=USR1", "--batch", batch.id())
		await.True(t, batch.stdout, func() bool { return strings.Contains(batch.stdout(), "USR1\n") })
		s.asRoot(t, "scancel", batch.id())
		if r := batch.result(); strings.Count(r.stdout, "USR1") != 1 || strings.Count(r.stdout, "TERM") != 1 {
			t.Errorf("each signal has to arrive once: %+v", r)
		}
	})
}

// A program without handlers dies by SIGTERM: it does not have to wait for SIGKILL, which nobody would send here.
func TestCancelWithoutHandler(t *testing.T) {
	eachOfAll(t, func(t *testing.T, s *site) {
		const script = "echo ready; exec sleep 100000"
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

// gone waits until the processes of a job's container have ended. Nothing but what the test did can end them: see
// noKillWait. How long it took is told by the log.
func (s *site) gone(t testing.TB, what string, job *running, begin time.Time) {
	t.Helper()
	await.True(t, func() string { return "the end of its processes" }, func() bool { return len(s.pidsOf(job)) == 0 })
	t.Logf("%s: gone after %v", what, time.Since(begin).Round(10*time.Millisecond))
}
