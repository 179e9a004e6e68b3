package oci

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/internal/await"
)

// checkLeft fails the test where something of the box is left: cgroups, entries of the directory given
// with --root. It waits for what is just ending.
func (b *box) checkLeft() {
	var left []string
	gone := await.Poll(await.End(b.t), func() bool {
		left = b.left()
		return len(left) == 0
	})
	if !gone {
		b.t.Errorf("left behind by %q:\n%s", b.command, strings.Join(left, "\n"))
	}
}

func (b *box) left() []string {
	left := b.cgroups()
	entries, _ := os.ReadDir(b.path("root"))
	for _, e := range entries {
		if strings.Contains(e.Name(), b.id) {
			left = append(left, b.path("root/"+e.Name()))
		}
	}
	return left
}

// cgroups are those of the box's containers. What crun leaves where it could not create a container,
// and in a version 2 hierarchy that it does not use, is crun's own doing.
func (b *box) cgroups() []string {
	var left []string
	for line := range strings.Lines(read("/proc/self/cgroup")) {
		fields := strings.SplitN(strings.TrimSpace(line), ":", 3)
		for _, parent := range []string{fields[2], "/", "/berth-test"} {
			path := filepath.Join("/sys/fs/cgroup", strings.TrimPrefix(fields[1], "name="), parent, b.id)
			if _, err := os.Stat(path); err != nil || fields[1] == "" || b.crunFailed() && os.Remove(path) == nil {
				continue
			}
			left = append(left, path)
		}
	}
	return left
}

func (b *box) crunFailed() bool {
	return b.runtime == "crun" && strings.Contains(b.said.String(), "create: status 1")
}

// leftAtTheEnd waits for what is just ending, and tells what does not end.
func leftAtTheEnd() (left []string) {
	await.Poll(await.End(nil), func() bool {
		left = leftOnTheNode()
		return len(left) == 0
	})
	return left
}

// leftOnTheNode are processes, mounts and sockets that a case has left on the node: they have a path below
// the directory of programs in their arguments, environment, place or standard output.
func leftOnTheNode() []string {
	var left []string
	entries, _ := os.ReadDir("/proc")
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() {
			continue
		}
		dir := filepath.Join("/proc", e.Name())
		cwd, _ := os.Readlink(filepath.Join(dir, "cwd"))
		out, _ := os.Readlink(filepath.Join(dir, "fd/1"))
		line := read(filepath.Join(dir, "cmdline"))
		if strings.Contains(cwd+out+line+read(filepath.Join(dir, "environ")), programs) {
			left = append(left, fmt.Sprintf("process %d %q", pid, line))
		}
	}
	for _, file := range []string{"/proc/self/mountinfo", "/proc/net/unix"} {
		for line := range strings.Lines(read(file)) {
			if strings.Contains(line, programs) {
				left = append(left, file+": "+line)
			}
		}
	}
	return left
}
