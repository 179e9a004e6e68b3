package slurm

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

var twoNodes = cluster.Options{Nodes: 2}

// scancel while the task is being launched, while berth plans, while the runtime starts, while the
// program runs, while it ends. Which moment it hits is left to chance; that nothing remains is not. A srun whose
// step is cancelled while it is being launched waits for KillWait, with and without berth.
func TestCancelAnyTime(t *testing.T) {
	eachOfAllOwn(t, limited, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		for delay := time.Duration(0); delay <= 240*time.Millisecond; delay += 20 * time.Millisecond {
			for _, signal := range []string{"", "--signal=KILL"} {
				t.Run(fmt.Sprint(delay, signal), func(t *testing.T) {
					job := s.start(t, call{args: []string{"srun", "--quiet", "--container", bundle, "/bin/sleep", "0.2"}})
					id := job.id()
					time.Sleep(delay)
					args := []string{"scancel", id}
					if signal != "" {
						args = []string{"scancel", signal, id}
					}
					_, _ = s.node().Output(t.Context(), "root", args...) // it may have ended
					job.wait()
				})
			}
		}
	})
}

// Every process of the job dies at once, in the order in which a killer that knows nothing finds
// them, slurmstepd included or not.
func TestKillEverything(t *testing.T) {
	for what, chosen := range map[string]func(cmdline string, task bool) bool{
		"the program": func(c string, _ bool) bool {
			return strings.HasPrefix(c, "/bin/sleep") || strings.HasPrefix(c, "sleep")
		},
		"the runtime":   func(_ string, task bool) bool { return task }, // it is in the task's place
		"all but Slurm": func(c string, _ bool) bool { return !strings.HasPrefix(c, "srun") },
	} {
		t.Run(what, func(t *testing.T) {
			eachOfAll(t, func(t *testing.T, s *site) {
				job := s.start(t, call{args: []string{"srun", "--container", s.bundle(t), "/bin/sh", "-c", "echo ready; exec sleep 100000"}})
				job.says("ready")
				killed, begin := 0, time.Now()
				tasks := s.taskOf(job)
				for _, pid := range append(slices.Clone(tasks), s.pidsOf(job)...) {
					if chosen(cmdline(pid), slices.Contains(tasks, pid)) {
						_ = syscall.Kill(pid, syscall.SIGKILL)
						killed++
					}
				}
				if killed == 0 {
					t.Error("there was nothing to kill")
				}
				s.gone(t, what, job, begin)
				if r := job.wait(); r.status == 0 {
					t.Errorf("it was killed, and yet: %+v", r)
				}
			})
		})
	}
}

// pidsOf lists the processes with the job's name in their environment.
func (s *site) pidsOf(job *running) []int {
	var pids []int
	for _, p := range processes(job.name) {
		if !strings.HasPrefix(p.cmdline, "nsenter") && !strings.HasPrefix(p.cmdline, "srun") {
			pids = append(pids, p.pid)
		}
	}
	return pids
}

// stepdsOf lists the job's slurmstepds on the first node.
func (s *site) stepdsOf(job *running) []int {
	var pids []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err == nil && s.node().Has(pid) && strings.HasPrefix(cmdline(pid), "slurmstepd: ["+job.id()+".") {
			pids = append(pids, pid)
		}
	}
	return pids
}

// taskOf lists the children of the job's slurmstepds: the runtimes, whose environment is slurmd's.
func (s *site) taskOf(job *running) []int {
	var pids []int
	for _, pid := range s.stepdsOf(job) {
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, thread := range threads {
			for _, child := range strings.Fields(read(thread)) {
				pid, _ := strconv.Atoi(child)
				pids = append(pids, pid)
			}
		}
	}
	return pids
}

func cmdline(pid int) string {
	return strings.ReplaceAll(read(fmt.Sprintf("/proc/%d/cmdline", pid)), "\x00", " ")
}

// A container outlives the slurmd that started it, and ends under its successor.
func TestRestartSlurmd(t *testing.T) {
	eachOwn(t, plain, func(t *testing.T, s *site) {
		job := s.start(t, call{args: append([]string{"srun", "--container", s.signalBundle(t)}, counting...)})
		job.says("ready")
		if err := s.node().StopSlurmd(); err != nil {
			t.Fatal(err)
		}
		if err := s.node().StartSlurmd(); err != nil {
			t.Fatal(err)
		}
		// A signal goes through the new slurmd as soon as that listens.
		await.Rarely(t, job.out.String, func() bool {
			_, _ = s.node().Output(t.Context(), "root", "scancel", "--signal=USR1", job.id())
			return strings.Contains(job.out.String(), "USR1")
		})
		s.asRoot(t, "scancel", job.id())
		job.says("TERM")
		job.wait()
		if out := s.ok(t, "srun", "--container", s.bundle(t), "/bin/echo", "next"); out != "next\n" {
			t.Errorf("the next job: %q", out)
		}
	})
}

// Nobody is left to tell berth of the end: one record of each container remains, until the user's next
// step on the node ends, or a later one of his. So does a container without berth-init, if only its runtime was killed.
func TestKillSlurmstepd(t *testing.T) {
	eachOwn(t, limited, func(t *testing.T, s *site) {
		with, without := s.bundle(t), s.bundle(t, set("false", "annotations", "org.berth.init"))
		var jobs []*running
		for name, c := range map[string]struct {
			bundle string
			all    bool // kill all processes, not Slurm's and the runtime alone
			stays  bool // the container
		}{
			"everything":                          {with, true, false},
			"slurmstepd and the runtime":          {with, false, false},
			"the same, of one without berth-init": {without, false, true},
		} {
			job := s.start(t, call{args: []string{"srun", "--container", c.bundle, "/bin/sh", "-c", "echo ready; exec sleep 100000"}})
			job.mayLeave = true // Slurm its spool directory
			job.says("ready")
			begin, pids := time.Now(), slices.Concat(s.stepdsOf(job), s.taskOf(job))
			if c.all {
				pids = append(pids, s.pidsOf(job)...)
			}
			for _, pid := range pids {
				_ = syscall.Kill(pid, syscall.SIGKILL)
			}
			if !c.stays {
				s.gone(t, name, job, begin)
			}
			s.asRoot(t, "scancel", job.id())
			jobs = append(jobs, job)
		}
		for _, job := range jobs {
			job.wait() // srun's status is 0 then, which is Slurm's doing
		}
		if left := s.containers(); len(left) != len(jobs) {
			t.Errorf("want %d records, got %q", len(jobs), left)
		}
		// Each step removes one of them at least, and as many as it has the time for.
		for left := len(s.containers()); left > 0; left = len(s.containers()) {
			if out := s.ok(t, "srun", "--container", with, "/bin/echo", "next"); out != "next\n" {
				t.Errorf("the next job: %q", out)
			}
			await.True(t, func() string { return "the end of one of " + strings.Join(s.containers(), " ") }, func() bool {
				return len(s.containers()) < left
			})
		}
		await.True(t, func() string { return "the end of their processes" }, func() bool {
			return !slices.ContainsFunc(jobs, func(job *running) bool { return len(s.pidsOf(job)) > 0 })
		})
	})
}

// containers lists the directories of containers on the first node.
func (s *site) containers() []string {
	found, _ := filepath.Glob(s.node().Path("/run/berth/*/*"))
	return found
}
