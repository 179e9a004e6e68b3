package slurm

import (
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// kill signals the container's program through berth.
func (s *site) kill(t testing.TB, r *running, signal string) result {
	t.Helper()
	return s.berth(t, "kill", r.name, signal)
}

// A signal reaches the program on the compute node, once and as itself.
func TestBackendSignals(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		job := s.job(t, call{env: []string{"BERTH_SLURM_NODELIST=n2"}}, s.signalBundle(t), counting...)
		job.says("ready")
		if got := s.state(t, job.name); got != "running" {
			t.Errorf("its state is %q", got)
		}
		for _, signal := range []string{"USR1", "INT", "HUP", "40", "TERM"} {
			if r := s.kill(t, job, signal); r.status != 0 || r.stderr != "" {
				t.Errorf("%s: %+v", signal, r)
			}
			job.says(signal)
		}
		if r := job.wait(); r.status != 3 || r.stdout != "ready\nUSR1\nINT\nHUP\n40\nTERM\n" {
			t.Errorf("%+v", r)
		}
		s.over(t, job)
	})
}

func TestBackendKill(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		for signal, want := range map[string]int{"KILL": 128 + 9, "TERM": 128 + 15} {
			job := s.job(t, call{}, bundle, "sh", "-c", "echo ready; exec sleep 100000")
			job.says("ready")
			if r := s.kill(t, job, signal); r.status != 0 || r.stderr != "" {
				t.Errorf("%s: %+v", signal, r)
			}
			if r := job.wait(); r.status != want {
				t.Errorf("%s: %+v", signal, r)
			}
			s.over(t, job)
		}
		job := s.job(t, call{}, bundle, "sh", "-c", "echo ready; exec sleep 100000")
		job.says("ready")
		if r := s.berth(t, "delete", job.name); r.status == 0 || !strings.Contains(r.stderr, "is running") {
			t.Errorf("delete of a running container: %+v", r)
		}
		s.deleted(t, job)
		if r := job.wait(); r.status != 128+9 {
			t.Errorf("deleted: %+v", r)
		}
	})
}

// A kill that comes before the nodes know the step is not lost. The program can be told to end, since a runtime
// that is killed while it starts may leave it.
func TestBackendKillAtOnce(t *testing.T) {
	backendOwn(t, cluster.Options{}, `staging = "none"`, func(t *testing.T, s *site) {
		for range 2 {
			bundle := s.bundle(t)
			job := s.job(t, call{env: []string{"BERTH_SLURM_NODELIST=n1"}}, bundle, "sh", "-c", "until test -e /end; do sleep 0.1; done")
			step := s.node().Path("/run/berth/*/" + job.name + "/*/step")
			await.True(t, func() string { return step }, func() bool { found, _ := filepath.Glob(step); return len(found) > 0 })
			if r := s.kill(t, job, "KILL"); r.status != 0 || r.stderr != "" {
				t.Errorf("%+v", r)
			}
			if r := job.wait(); r.status == 0 {
				t.Errorf("%+v", r)
			}
			s.write(t, bundle+"/rootfs/end", "")
			s.over(t, job)
		}
		if r := s.berth(t, "gc"); r.status != 0 { // a berth that was killed while it made its container leaves it unnamed
			t.Errorf("gc: %+v", r)
		}
	})
}

// A container that waits for its job has no program yet: what would end that ends the request.
func TestBackendWaiting(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		waiting := func() *running {
			job := s.job(t, call{env: []string{"BERTH_SLURM_BEGIN=now+1hour"}}, bundle, "true")
			job.id()
			if got := s.state(t, job.name); got != "running" {
				t.Errorf("its state is %q", got)
			}
			return job
		}
		job := waiting()
		if r := s.kill(t, job, "USR1"); r.status == 0 || !strings.Contains(r.stderr, "waits for its job") {
			t.Errorf("USR1: %+v", r)
		}
		for _, signal := range []string{"TERM", "KILL"} {
			if r := s.kill(t, job, signal); r.status != 0 {
				t.Errorf("%s: %+v", signal, r)
			}
			if r := job.wait(); r.status == 0 {
				t.Errorf("%s: %+v", signal, r)
			}
			s.deleted(t, job)
			job = waiting()
		}
		s.asRoot(t, "scancel", job.id())
		if r := job.wait(); r.status != 125 || r.stderr == "" {
			t.Errorf("cancelled: %+v", r)
		}
		s.deleted(t, job)
		job = waiting()
		// srun cannot give its request back any more.
		if err := syscall.Kill(s.srunOf(t, job), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		if r := job.wait(); r.status != 128+9 {
			t.Errorf("%+v", r)
		}
		if got := s.state(t, job.name); got != "stopped" {
			t.Errorf("its state is %q", got)
		}
		s.deleted(t, job)
	})
}

// srunOf is the pid, on this machine, of the process that a container's srun is.
func (s *site) srunOf(t testing.TB, job *running) (pid int) {
	t.Helper()
	await.True(t, func() string { return "srun" }, func() bool {
		comms, _ := filepath.Glob("/proc/[0-9]*/comm")
		for _, comm := range comms {
			if read(comm) != "srun\n" {
				continue
			}
			if pid, _ = strconv.Atoi(filepath.Base(filepath.Dir(comm))); strings.Contains(cmdline(pid), " --job-name="+job.name+" ") {
				return true
			}
		}
		return false
	})
	return pid
}

// After SIGKILL for srun the job ends, and the next delete, or berth gc, removes what was made for it.
func TestBackendSrunKilled(t *testing.T) {
	backendOwn(t, cluster.Options{}, `staging = "none"`, func(t *testing.T, s *site) {
		job := s.job(t, call{}, s.bundle(t), "sh", "-c", "echo ready; exec sleep 100000")
		job.says("ready")
		if err := syscall.Kill(s.srunOf(t, job), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		job.wait()
		if got := s.state(t, job.name); got != "stopped" {
			t.Errorf("its state is %q", got)
		}
		if r := s.berth(t, "gc"); r.status != 0 || !strings.Contains(r.stdout, job.name) {
			t.Errorf("gc: %+v", r)
		}
		s.deleted(t, job)
	})
}

func TestBackendCancelled(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		job := s.job(t, call{}, s.bundle(t), "sh", "-c", "echo ready; exec sleep 100000")
		job.says("ready")
		s.asRoot(t, "scancel", job.id())
		r := job.wait()
		if r.status == 0 || !strings.Contains(r.stderr, "CANCELLED") {
			t.Errorf("%+v", r)
		}
		s.over(t, job)
	})
}

// While slurmctld is away nothing is forgotten: the job would be lost.
func TestBackendControllerAway(t *testing.T) {
	backendOwn(t, cluster.Options{Config: "deadlines.delete = \"3s\"\n"}, `staging = "none"`, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		job := s.job(t, call{}, bundle, "sh", "-c", "echo ready; exec sleep 100000")
		job.says("ready")
		goOn, err := s.LoseController()
		if err != nil {
			t.Fatal(err)
		}
		if got := s.state(t, job.name); got != "running" {
			t.Errorf("its state is %q", got)
		}
		none := s.job(t, call{}, bundle, "true")
		if r := none.wait(); r.status != 125 || !strings.Contains(r.stderr, "Unable to contact slurm controller") {
			t.Errorf("a new job: %+v", r)
		}
		if r := s.berth(t, "driver", "check", "slurm"); r.status == 0 || !strings.Contains(r.stdout+r.stderr, "slurmctld does not answer") {
			t.Errorf("check: %+v", r)
		}
		if r := s.berth(t, "delete", "--force", none.name); r.status == 0 || !strings.Contains(r.stderr, "squeue") {
			t.Errorf("delete: %+v", r)
		}
		if err := goOn(); err != nil {
			t.Fatal(err)
		}
		s.configure(t, backendConfig(`staging = "none"`)) // from here on it may take as long as it takes
		s.deleted(t, none)
		s.deleted(t, job)
		job.wait()
	})
}
