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
	"time"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// checkLeft fails the test where something of its jobs is left on a node: processes, container
// directories, spool directories, mounts; or where a node is not in service. What is just ending gets
// a while.
func (s *site) checkLeft(t testing.TB, name string, jobs []string) {
	t.Helper()
	var left []string
	for end := time.Now().Add(patience / 2); time.Now().Before(end); time.Sleep(50 * time.Millisecond) {
		left = processes(name)
		for _, job := range jobs {
			left = append(left, s.left(job)...)
		}
		left = append(left, s.outOfService(t)...)
		if len(left) == 0 {
			return
		}
	}
	for _, what := range left {
		t.Errorf("left behind: %s", what)
	}
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

// processes lists the processes of a job by the name in their environment, dead ones that only wait
// for their parent excepted. srun and its like have it too.
func processes(name string) []string {
	var found []string
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil {
			continue
		}
		environ, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "environ"))
		if strings.Contains(string(environ), "BERTH_TEST="+name+"\x00") && cluster.Alive(pid) {
			cmdline, _ := os.ReadFile(filepath.Join("/proc", e.Name(), "cmdline"))
			found = append(found, fmt.Sprintf("process %d %q", pid, cmdline))
		}
	}
	return found
}

// read returns what is in a file, or nothing.
func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}
