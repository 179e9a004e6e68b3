package test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// berth run -n N starts N tasks, each of which knows its number, and returns the first status that
// is not 0.
func TestLaunch(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		out := s.ok(t, "run", "-n", "4", "--label", s.bundle(t, "echo $BERTH_PROCID $BERTH_LOCALID $BERTH_NTASKS; printf end"))
		lines := strings.Split(strings.TrimSuffix(out, "\n"), "\n")
		slices.Sort(lines)
		var want []string
		for i := range 4 {
			want = append(want, fmt.Sprintf("%d: %d %d 4", i, i, i), fmt.Sprintf("%d: end", i))
		}
		slices.Sort(want)
		if !slices.Equal(lines, want) {
			t.Errorf("want %q, got %q", want, lines)
		}
		if r := s.berth(t, "run", "-n", "3", s.bundle(t, "test $BERTH_PROCID != 1 || exit 42")); r.status != 42 {
			t.Errorf("the first status that is not 0: %+v", r)
		}
		if r := s.berth(t, "run", "-n", "2", s.bundle(t, "kill -KILL $$")); r.status != 137 && r.status != 0 {
			t.Errorf("%+v", r) // process 1 of a pid namespace does not die of its own signal
		}
		if r := s.do(t, call{args: []string{"run", "-n", "2", s.bundle(t, "cat")}, stdin: "input"}); r.stdout != "input" {
			t.Errorf("stdin goes to the first task: %+v", r)
		}
	})
}

// What the launcher is sent reaches every task, once.
func TestLaunchSignals(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		script := `trap 'echo got; exit 3' USR1; echo ready; while :; do sleep 0.05; done`
		cmd := s.command(call{args: []string{"run", "-n", "3", s.bundle(t, script)}})
		master, terminal := openTerminal(t)
		defer master.Close()
		cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, terminal, terminal
		bounded(t, cmd)
		terminal.Close()
		var all strings.Builder
		buf := make([]byte, 4096)
		for sent := false; ; {
			n, err := master.Read(buf)
			if err != nil {
				break
			}
			all.Write(buf[:n])
			if !sent && strings.Count(all.String(), "ready") == 3 {
				sent = true
				check(t, cmd.Process.Signal(unix.SIGUSR1))
			}
		}
		_ = cmd.Wait()
		if status := statusOf(cmd.ProcessState); status != 3 || strings.Count(all.String(), "got") != 3 {
			t.Errorf("status %d, %q", status, all.String())
		}
	})
}

// What cannot go together is refused before anything starts.
func TestLaunchRefusals(t *testing.T) {
	t.Parallel()
	need(t, "runc", "busybox")
	s := newSite(t)
	s.driver = "runc"
	bundle := s.bundle(t, "true")
	for _, n := range []string{"0", "-1", "4097", "999999999999999999999", "x"} {
		refused(t, s.berth(t, "run", "-n="+n, bundle), n)
	}
	for _, option := range []string{"--dry-run", "--tty", "--preserve-fds=1", "--pid-file=/tmp/x"} {
		refused(t, s.berth(t, "run", "-n=2", option, bundle), "--tasks")
	}
}

// Many tasks of one launch: all run, nothing is left. A campaign has as many as a full node.
func TestStorm(t *testing.T) {
	eachDriverInTurn(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t, "echo $BERTH_PROCID")
		sizes := []int{32}
		if campaign() {
			sizes = []int{64, 128}
		}
		for _, n := range sizes {
			out := s.ok(t, "run", "--id", s.id(), "-n", fmt.Sprint(n), bundle) // the site looks for what is left by the ID
			seen := map[string]bool{}
			for line := range strings.Lines(out) {
				seen[line] = true
			}
			if len(seen) != n {
				t.Errorf("%d of %d tasks ran", len(seen), n)
			}
		}
	})
}
