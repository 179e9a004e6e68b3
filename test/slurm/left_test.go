package slurm

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// checkLeft fails the test where something of its jobs is left on a node: processes, container
// directories, spool directories. What is just ending may end.
func (s *site) checkLeft(t testing.TB, name string, jobs []string) {
	t.Helper()
	var left []string
	if !await.Poll(await.End(t), func() bool {
		left = nil
		for _, job := range jobs {
			left = append(left, s.left(job)...)
		}
		if len(left) > 0 {
			return false
		}
		for _, p := range processes(name) {
			left = append(left, p.String())
		}
		return len(left) == 0
	}) {
		for _, what := range left {
			t.Errorf("left behind: %s", what)
		}
	}
}

// watch has the nodes looked at when the test has ended: all of them have to take jobs.
func (s *site) watch(t testing.TB) {
	s.mutex.Lock()
	defer s.mutex.Unlock()
	if s.watched[t] {
		return
	}
	s.watched[t] = true
	t.Cleanup(func() {
		for _, what := range s.outOfService(t) {
			t.Errorf("left behind: %s", what)
		}
	})
}

// left lists what is left of a job on the nodes, or of all jobs for "".
func (s *site) left(job string) []string {
	number := job
	if job == "" {
		number = "[0-9]+"
	}
	container := regexp.MustCompile(`^(\+` + number + `|` + number + `\.[0-9]+)\.[0-9]+\.n[0-9]+$`) // or what was prepared for a step
	spool := regexp.MustCompile(`oci-job` + number + `(-|$)`)
	var left []string
	for _, n := range s.Nodes() {
		for _, found := range n.Find("/run/berth", 2) {
			hidden := job == "" && strings.HasPrefix(filepath.Base(found), ".")
			if hidden || container.MatchString(filepath.Base(found)) {
				left = append(left, n.Name+":"+found)
			}
		}
		for _, found := range n.Find("/var/spool/slurmd", 3) {
			if spool.MatchString(found) {
				left = append(left, n.Name+":"+found)
			}
		}
	}
	return left
}

// outOfService lists the nodes that take no jobs.
func (s *site) outOfService(t testing.TB) []string {
	var out []string
	for _, line := range strings.Split(s.asRoot(t, "sinfo", "--noheader", "--Node", "--format=%N %t %E"), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && !slices.Contains([]string{"idle", "mix", "alloc", "comp"}, fields[1]) {
			out = append(out, "node "+line)
		}
	}
	return out
}

// process is a process of this machine.
type process struct {
	pid              int
	environ, cmdline string
}

func (p process) String() string { return fmt.Sprintf("process %d %q", p.pid, p.cmdline) }

// variable is what an environment says, as in /proc/PID/environ, or nothing.
func variable(environ, name string) string {
	_, rest, _ := strings.Cut("\x00"+environ, "\x00"+name+"=")
	value, _, _ := strings.Cut(rest, "\x00")
	return value
}

// processes lists the processes of a job by the name in their environment, dead ones that only wait
// for their parent excepted. srun and its like have it too.
func processes(name string) []process {
	var found []process
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if strings.Contains(string(environ), "BERTH_TEST="+name+"\x00") && cluster.Alive(pid) {
			cmdline := read(filepath.Join("/proc", e.Name(), "cmdline"))
			found = append(found, process{pid, string(environ), strings.ReplaceAll(cmdline, "\x00", " ")})
		}
	}
	return found
}

// read returns what is in a file, or nothing.
func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}
