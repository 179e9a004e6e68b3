package slurm

import (
	"fmt"
	"os/exec"
	"strings"
	"testing"
)

// victim is something of root's on the node that the callbacks, which run as root, must not touch
// whatever a user writes into his own directories.
type victim struct {
	s      *site
	daemon *exec.Cmd
	pid    int // of root's daemon, on the node
	file   string
}

func (s *site) victim(t testing.TB) *victim {
	t.Helper()
	v := &victim{s: s, file: "/root/precious/record"}
	if err := s.node().WriteFile(v.file, "precious", 0o600); err != nil {
		t.Fatal(err)
	}
	v.daemon = s.node().Command(t.Context(), "root", "sh", "-c", "echo $$; exec sleep 100000")
	out, err := v.daemon.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := v.daemon.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		s.asRoot(t, "kill", fmt.Sprint(v.pid))
		_ = v.daemon.Wait()
	})
	if _, err := fmt.Fscan(out, &v.pid); err != nil {
		t.Fatal(err)
	}
	return v
}

// unharmed checks that the daemon runs and the file is as it was.
func (v *victim) unharmed(t testing.TB, what string) {
	t.Helper()
	if text, err := v.s.node().ReadFile(v.file); err != nil || text != "precious" {
		t.Errorf("%s: root's file is touched: %q, %v", what, text, err)
	}
	if text := read(v.s.node().Path(fmt.Sprintf("/proc/%d/cmdline", v.pid))); !strings.HasPrefix(text, "sleep") {
		t.Errorf("%s: root's daemon has ended", what)
	}
}

// startTime is when a process of the node started, as records have it (proc_pid_stat(5), field 22).
func startTime(s *site, pid int) int {
	stat := read(s.node().Path(fmt.Sprintf("/proc/%d/stat", pid)))
	var start int
	fmt.Sscan(strings.Fields(stat[strings.LastIndexByte(stat, ')'):])[20], &start)
	return start
}
