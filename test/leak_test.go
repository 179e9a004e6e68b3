package test

import (
	"bytes"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

// checkLeft fails the test where something of the site is left on the node: processes, entries of
// the container directory, mounts, cgroups, sockets.
func (s *site) checkLeft(t testing.TB) {
	if left := s.stillThere(t); left != "" {
		t.Errorf("left behind:\n%s", left)
		s.kill()
	}
}

// stillThere waits for what is just ending, and says what of the site does not end. Nothing that a test
// starts ends by itself in that time.
func (s *site) stillThere(t testing.TB) string {
	var left []string
	await.Poll(await.End(t), func() bool {
		left = s.left()
		return len(left) == 0
	})
	return strings.Join(left, "\n")
}

func (s *site) left() []string {
	var left []string
	for _, pid := range s.processes() {
		left = append(left, fmt.Sprintf("process %d %q", pid, read(fmt.Sprintf("/proc/%d/cmdline", pid))))
	}
	for _, dir := range homes() {
		entries, _ := os.ReadDir(dir)
		for _, e := range entries {
			if path := filepath.Join(dir, e.Name()); strings.Contains(e.Name(), s.token) {
				left = append(left, path)
			}
		}
	}
	for _, file := range []string{"/proc/self/mountinfo", "/proc/net/unix"} {
		for line := range strings.Lines(read(file)) {
			if strings.Contains(line, s.token) {
				left = append(left, file+": "+line)
			}
		}
	}
	return append(left, s.cgroups()...)
}

// processes are those that carry the site's token, dead ones that only wait for their parent
// excepted.
func (s *site) processes() []int {
	var pids []int
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		dir := filepath.Join("/proc", e.Name())
		exe, _ := os.Readlink(filepath.Join(dir, "exe"))
		about := exe + read(filepath.Join(dir, "cmdline")) + read(filepath.Join(dir, "environ"))
		if strings.Contains(about, s.token) && !zombie(pid) {
			pids = append(pids, pid)
		}
	}
	return pids
}

func zombie(pid int) bool {
	text := read(fmt.Sprintf("/proc/%d/stat", pid))
	at := strings.LastIndexByte(text, ')') // proc_pid_stat(5)
	return at < 0 || len(text) < at+3 || text[at+2] == 'Z' || text[at+2] == 'X'
}

func (s *site) cgroups() []string {
	var left []string
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.IsDir() || strings.Count(path, "/") > 8 {
			return fs.SkipDir
		}
		if strings.Contains(d.Name(), s.token) && isCgroup(path) {
			left = append(left, path)
		}
		return nil
	})
	return left
}

// isCgroup tells a cgroup from a directory in the place of a hierarchy that is not mounted, where
// crun makes and forgets some.
func isCgroup(path string) bool {
	var st unix.Statfs_t
	return unix.Statfs(path, &st) == nil && (st.Type == unix.CGROUP_SUPER_MAGIC || st.Type == unix.CGROUP2_SUPER_MAGIC)
}

// homes are the directories of containers that this process can look into.
func homes() []string {
	dirs, _ := filepath.Glob("/run/berth/*")
	if dir := os.Getenv("XDG_RUNTIME_DIR"); dir != "" {
		dirs = append(dirs, filepath.Join(dir, "berth"))
	}
	return dirs
}

// containers are the entries of this user's container directory, hidden ones included.
func containers() []string {
	found, _ := filepath.Glob(filepath.Join(home(), "*"))
	hidden, _ := filepath.Glob(filepath.Join(home(), ".*"))
	return append(found, hidden...)
}

// leftAtTheEnd has berth collect what is dead, and returns what is left that was not there before.
func leftAtTheEnd(before []string) []string {
	_ = exec.Command(filepath.Join(programs, "berth"), "gc").Run()
	return slices.DeleteFunc(containers(), func(path string) bool { return slices.Contains(before, path) })
}

// read returns what is in a file, or nothing; of a process that has ended there is none.
func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(bytes.ToValidUTF8(text, nil))
}
