package slurm

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// registry is the stand-in's for enroot, on each node; see drivers/enroot/testdata/standin.
const registry = "/opt/enroot/registry"

// eachImporting runs a test with enroot on a cluster of its own, and a bundle whose image has to be imported.
func eachImporting(t *testing.T, nodes int, f func(t *testing.T, s *site, bundle string)) {
	eachRelease(t, cluster.Options{Nodes: nodes}, []string{"enroot"}, func(t *testing.T, s *site) {
		if s.release.before("23.02") {
			return // a step has one task per node, and what its node lacks has nothing to do with drivers
		}
		bundle := s.bundle(t)
		for _, n := range s.Nodes() {
			for _, args := range [][]string{
				{"rm", "-rf", registry},
				{"install", "-d", "-m", "1777", registry}, {"install", "-d", "/srv/empty"},
				{"mksquashfs", bundle + "/rootfs", registry + "/plain.sqsh", "-quiet", "-no-progress", "-all-root"},
			} {
				if _, err := n.Output(t.Context(), "root", args...); err != nil {
					t.Fatal(err)
				}
			}
		}
		f(t, s, s.bundle(t, set("/srv/empty", "root", "path"), set("docker://plain", "annotations", "org.berth.image")))
	})
}

// did counts what enroot has done on a node, "imports" or "creates".
func did(n *cluster.Node, what string) int {
	return strings.Count(read(n.Path(registry+"/"+what)), "\n")
}

// Sixteen tasks on each of two nodes start at once: each node imports and unpacks once, and has nothing of it
// when the step has ended. A file that others own is unpacked once, too.
func TestImportOnce(t *testing.T) {
	eachImporting(t, 2, func(t *testing.T, s *site, bundle string) {
		file := s.bundle(t, set(registry+"/plain.sqsh", "root", "path"))
		const script = "echo $SLURM_PROCID; test -x /bin/busybox && ! touch /new 2>/dev/null"
		for n, image := range []string{bundle, file} {
			out := s.ok(t, "srun", "--nodes=2", "--ntasks-per-node=16", "--container", image, "/bin/sh", "-c", script)
			got := strings.Fields(out)
			for task := range 32 {
				if !slices.Contains(got, fmt.Sprint(task)) || len(got) != 32 {
					t.Errorf("%s: task %d is not among %q", image, task, got)
				}
			}
			for _, node := range s.Nodes() {
				if imports, creates := did(node, "imports"), did(node, "creates"); imports != 1 || creates != n+1 {
					t.Errorf("%s: %s: imported %d times, unpacked %d times", image, node.Name, imports, creates)
				}
			}
		}
	})
}

// The task that imports is killed half-way: another one of the step imports, and the end of the step leaves
// nothing of either. So does that of a step that is killed as a whole.
func TestImporterIsKilled(t *testing.T) {
	eachImporting(t, 1, func(t *testing.T, s *site, bundle string) {
		s.asRoot(t, "mkfifo", registry+"/hang")
		job := s.start(t, call{args: []string{"srun", "--ntasks=4", "--container", bundle, "/bin/echo", "ran"}})
		await.True(t, job.err.String, func() bool { return did(s.node(), "imports") == 1 })
		leader := s.importer(t, job)
		s.asRoot(t, "rm", registry+"/hang") // the first waits for a writer; the second does not find it
		_ = syscall.Kill(leader, syscall.SIGKILL)
		if r := job.wait(); r.status != 137 || r.stdout != strings.Repeat("ran\n", 3) {
			t.Errorf("the leader was killed: %+v", r)
		}
		if imports, creates := did(s.node(), "imports"), did(s.node(), "creates"); imports != 2 || creates != 1 {
			t.Errorf("imported %d times, unpacked %d times", imports, creates)
		}

		s.asRoot(t, "mkfifo", registry+"/hang")
		job = s.start(t, call{args: []string{"srun", "--ntasks=4", "--container", bundle, "/bin/echo", "ran"}})
		await.True(t, job.err.String, func() bool { return did(s.node(), "imports") == 3 })
		s.asRoot(t, "scancel", "--signal=KILL", job.id())
		if r := job.wait(); r.status == 0 || r.stdout != "" {
			t.Errorf("the step was killed: %+v", r)
		}
		await.True(t, func() string { return "the end of the import" }, func() bool {
			return !slices.ContainsFunc(s.nodesProcesses(), func(pid int) bool { return strings.HasPrefix(cmdline(pid), "/opt/enroot/enroot") })
		})
	})
}

// importer is the task of a job whose descendant imports.
func (s *site) importer(t *testing.T, job *running) int {
	t.Helper()
	tasks := s.taskOf(job)
	for _, pid := range s.nodesProcesses() {
		if !strings.Contains(cmdline(pid), " import ") {
			continue
		}
		for pid > 1 && !slices.Contains(tasks, pid) {
			pid = parent(pid)
		}
		if pid > 1 {
			return pid
		}
	}
	t.Fatal("no task imports")
	return 0
}

// nodesProcesses are the processes of the first node, by their numbers on this machine.
func (s *site) nodesProcesses() []int {
	var pids []int
	found, _ := filepath.Glob("/proc/[0-9]*")
	for _, dir := range found {
		var pid int
		fmt.Sscan(filepath.Base(dir), &pid)
		if s.node().Has(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

// parent is the process's parent, or 0 (proc_pid_stat(5), field 4).
func parent(pid int) (parent int) {
	stat, _ := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	text := string(stat)
	fmt.Sscan(strings.Fields(text[strings.LastIndexByte(text, ')')+1:] + " - 0")[1], &parent)
	return parent
}
