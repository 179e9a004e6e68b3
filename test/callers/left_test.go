package callers

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// checkLeft fails the test where something of a container is left on the node: processes with the
// test's token, or berth's directory. What is just ending may end.
func (n *node) checkLeft(t testing.TB, token, id string) {
	t.Helper()
	var left []string
	if !await.Poll(await.End(t), func() bool {
		left = processes(token)
		for _, path := range n.containers() {
			if id != "" && strings.Contains(path, id) {
				left = append(left, path)
			}
		}
		return len(left) == 0
	}) {
		for _, what := range left {
			t.Errorf("left behind: %s", what)
		}
	}
}

// hang is how long what is to end after all tests may take, when they have no limit any more.
const hang = 15 * time.Minute

// containers are berth's directories of containers on the node, and on those of its cluster.
func (n *node) containers() []string {
	var found []string
	for _, one := range n.cluster.Nodes() {
		for _, path := range one.Find("/run/berth", 2) {
			if strings.Count(path, "/") == 4 {
				found = append(found, one.Name+":"+path)
			}
		}
	}
	return found
}

// leftAtTheEnd is what is left on the node after all tests: containers, mounts, processes.
func (n *node) leftAtTheEnd() []string {
	var left []string
	await.Poll(time.Now().Add(hang), func() bool {
		left = n.containers()
		for line := range strings.Lines(n.mountinfo()) {
			if !strings.Contains(n.mounts, line) {
				left = append(left, "mount "+line)
			}
		}
		for _, pid := range pids() {
			if n.Has(pid) && cluster.Alive(pid) && !n.isDaemon(pid) {
				left = append(left, describe(pid))
			}
		}
		return len(left) == 0
	})
	return left
}

// isDaemon says whether a process has been there since the node's start.
func (n *node) isDaemon(pid int) bool {
	name := read(fmt.Sprintf("/proc/%d/comm", pid))
	return slices.Contains([]string{"bash", "munged", "slurmctld", "slurmd", "slurmscriptd"}, strings.TrimSpace(name))
}

func (n *node) mountinfo() string { return read(n.Path("/proc/1/mountinfo")) }

// endPause ends the processes by which podman keeps users' namespaces: they are one for each user.
func (n *node) endPause() {
	text, err := n.ReadFile(n.runtimeDir() + "/libpod/tmp/pause.pid")
	pid, parseErr := strconv.Atoi(strings.TrimSpace(text))
	if err != nil || parseErr != nil {
		return
	}
	for _, p := range pids() {
		if n.Has(p) && strings.HasSuffix(strings.TrimSpace(line(fmt.Sprintf("/proc/%d/status", p), "NSpid:")), "\t"+strconv.Itoa(pid)) {
			_ = unix.Kill(p, unix.SIGKILL)
		}
	}
}

// processes are those that carry a test's token in their environment or arguments, dead ones excepted.
func processes(token string) []string {
	var found []string
	for _, pid := range pids() {
		about := read(fmt.Sprintf("/proc/%d/environ", pid)) + read(fmt.Sprintf("/proc/%d/cmdline", pid))
		if strings.Contains(about, token) && cluster.Alive(pid) {
			found = append(found, describe(pid))
		}
	}
	return found
}

func describe(pid int) string {
	return fmt.Sprintf("process %d %q", pid, read(fmt.Sprintf("/proc/%d/cmdline", pid)))
}

func pids() []int {
	var all []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		if pid, err := strconv.Atoi(e.Name()); err == nil {
			all = append(all, pid)
		}
	}
	return all
}

// read returns what is in a file, or nothing.
func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

// line is the line of a file that begins with a word.
func line(path, word string) string {
	for l := range strings.Lines(read(path)) {
		if strings.HasPrefix(l, word) {
			return l
		}
	}
	return ""
}

// parents are the cgroups that podman and docker make for all of their containers and leave.
var parents = [...]string{"libpod_parent", "docker"}

// cgroups lists those that are there.
func cgroups() []string {
	var found []string
	for _, name := range parents {
		dirs, _ := filepath.Glob("/sys/fs/cgroup/*/" + name)
		found = append(found, dirs...)
	}
	return found
}

// forgetCgroups removes those that were not there before. One with a container in it stays. Where a hierarchy is
// not mounted, podman makes plain directories and files in its place.
// It waits for that long, since the last process may be just ending.
func forgetCgroups(before []string, patience time.Duration) {
	for _, dir := range cgroups() {
		if slices.Contains(before, dir) {
			continue
		}
		var fs unix.Statfs_t
		if unix.Statfs(dir, &fs) == nil && fs.Type == unix.TMPFS_MAGIC {
			_ = os.RemoveAll(dir)
			continue
		}
		await.Poll(time.Now().Add(patience), func() bool {
			below, _ := filepath.Glob(dir + "/*")
			for _, path := range below {
				_ = unix.Rmdir(path) // files stay
			}
			return unix.Rmdir(dir) == nil
		})
	}
}
