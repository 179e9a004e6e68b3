package ociruntime

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

func TestLiveRunExitStatus(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		for _, want := range []int{0, 1, 42, 255} {
			c := l.container(t, nil, "exit", strconv.Itoa(want))
			if status, out := l.become(t, "run", c); status != want || out != "" && !strings.Contains(out, "level=warning") {
				t.Errorf("status %d, want %d: %s", status, want, out)
			}
			if names := left(t, c); names != "" {
				t.Errorf("left: %s", names)
			}
		}
	})
}

func TestLiveKillEndsRunWith137(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		c := l.container(t, nil, "wait")
		plan, err := l.Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		cmd := execute(plan)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		eventually(t, "it runs", func() bool {
			state, err := l.State(t.Context(), c)
			return err == nil && state.Status == specs.StateRunning
		})
		if err := l.Kill(t.Context(), c, syscall.SIGKILL, false); err != nil {
			t.Fatal(err)
		}
		if err := cmd.Wait(); cmd.ProcessState.ExitCode() != 137 {
			t.Errorf("got %v, want status 137", err)
		}
		if names := left(t, c); names != "" {
			t.Errorf("left: %s", names)
		}
	})
}

// A runtime that is killed leaves its container running; delete with force ends it.
func TestLiveKilledRuntimeLeavesAContainerToDelete(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		c := l.container(t, sharedPids, "tree", "3")
		plan, err := l.Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		cmd := execute(plan)
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		var pid int
		eventually(t, "it runs", func() bool {
			state, err := l.State(t.Context(), c)
			if err == nil && state.Status == specs.StateRunning {
				pid = state.Pid
			}
			return pid > 0 && len(family(t, pid)) == 3
		})
		all := family(t, pid)
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		if _, err := l.Run(t.Context(), c); sdk.Kind(err) != sdk.ErrExists {
			t.Errorf("a second run: %v", err)
		}
		if err := l.Delete(t.Context(), c, true); err != nil {
			t.Error(err)
		}
		for _, p := range all {
			eventually(t, "every process is dead", func() bool { return Dead(p.pid) })
		}
		if names := left(t, c); names != "" {
			t.Errorf("left: %s", names)
		}
	})
}

// family returns the processes of the container whose first process has the pid.
func family(t *testing.T, pid int) []process {
	t.Helper()
	all, err := processes()
	if err != nil {
		t.Fatal(err)
	}
	own, _ := processAt(os.Getpid())
	first, _ := processAt(pid)
	return members(first, all, own)
}

func TestLiveKillAllReachesEveryProcessOnce(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		for name, change := range map[string]func(*specs.Spec){"pid namespace": nil, "shared pids": sharedPids} {
			t.Run(name, func(t *testing.T) {
				c := l.container(t, change, "tree", "4")
				pid, output := l.running(t, c, 4)
				all := family(t, pid)
				if err := l.Kill(t.Context(), c, syscall.SIGUSR1, true); err != nil {
					t.Fatal(err)
				}
				eventually(t, "each has its signal", func() bool { return lines(output, "USR1") == len(all) })
				if err := l.Kill(t.Context(), c, syscall.SIGKILL, true); err != nil {
					t.Fatal(err)
				}
				for _, p := range all {
					eventually(t, "every process is dead", func() bool { return Dead(p.pid) })
				}
				if got := lines(output, "USR1"); got != 4 || len(all) != 4 {
					t.Errorf("%d signals for %d processes, want 4", got, len(all))
				}
			})
		}
	})
}

func TestLiveRequestsOfCallers(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		c := l.container(t, nil, "read", "3")
		c.Files = 1
		c.Log = sdk.Log{Path: filepath.Join(t.TempDir(), "a:b"), Format: "json", Debug: true}
		plan, err := l.Run(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		cmd := execute(plan)
		inherited, err := os.CreateTemp(t.TempDir(), "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := inherited.WriteAt([]byte("through descriptor 3"), 0); err != nil {
			t.Fatal(err)
		}
		cmd.ExtraFiles = []*os.File{inherited}
		if status, out := finish(t, cmd); status != 0 || !strings.HasPrefix(out, "through descriptor 3") {
			t.Errorf("status %d: %q", status, out)
		}

		c = l.container(t, nil, "wait")
		c.IO = sdk.IO{Detach: true, PidFile: filepath.Join(t.TempDir(), "pid"), NoNewKeyring: true}
		if status, out := l.become(t, "run", c); status != 0 {
			t.Fatalf("status %d: %s", status, out)
		}
		text, _ := os.ReadFile(c.IO.PidFile)
		state, err := l.State(t.Context(), c)
		if err != nil || strconv.Itoa(state.Pid) != string(text) {
			t.Errorf("pid file %q, state %+v, %v", text, state, err)
		}
	})
}

func TestLiveErrorsGoToTheLog(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		c := l.container(t, func(s *specs.Spec) { s.Process.Args[0] = "/missing" })
		c.Log = sdk.Log{Path: filepath.Join(t.TempDir(), "a:b"), Format: "json"}
		status, _ := l.become(t, "run", c)
		text, err := os.ReadFile(c.Log.Path)
		if status != 1 || err != nil || !strings.Contains(string(text), `"level":"error"`) {
			t.Errorf("status %d, log %q, %v", status, text, err)
		}
		if names := left(t, c); names != "" {
			t.Errorf("left: %s", names)
		}
	})
}
