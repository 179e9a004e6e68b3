package handoff

import (
	"bufio"
	"context"
	"fmt"
	"math/rand/v2"
	"os"
	"slices"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

func null(t *testing.T, path string) *os.File {
	t.Helper()
	f, err := os.Open(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

// The task is the process that the host was: same pid, limits, mask and directory, and of the
// descriptors those that were declared.
func TestExec(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	zero, full := null(t, "/dev/zero"), null(t, "/dev/full")
	dir := t.TempDir()
	old := unix.Umask(0o137)
	defer unix.Umask(old)
	tests := []struct {
		name  string
		task  task
		dir   string
		files map[int]string
	}{
		{"no files", task{}, here, map[int]string{}},
		{"one file", task{Files: 1}, here, map[int]string{3: "/dev/zero"}},
		{"two files", task{Files: 2}, here, map[int]string{3: "/dev/zero", 4: "/dev/full"}},
		{"a file under another number", task{PassOn: []int{4}}, here, map[int]string{3: "/dev/full"}},
		{"files in another order", task{PassOn: []int{4, 3}}, here, map[int]string{3: "/dev/full", 4: "/dev/zero"}},
		{"directory", task{Dir: dir}, dir, map[int]string{}},
		{"strays", task{Stray: true}, here, map[int]string{}},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			tt.task.Env = []string{"A=b"}
			got, _, cmd := become(t, tt.task, zero, full)
			if got.Pid != cmd.Process.Pid {
				t.Errorf("pid %d became %d", cmd.Process.Pid, got.Pid)
			}
			if got.Dir != tt.dir || got.Umask != 0o137 {
				t.Errorf("directory %s, umask %o", got.Dir, got.Umask)
			}
			if !slices.Equal(got.Env, []string{role + "=task", "A=b"}) {
				t.Errorf("environment %q", got.Env)
			}
			if fmt.Sprint(got.Files) != fmt.Sprint(tt.files) {
				t.Errorf("descriptors %v, want %v", got.Files, tt.files)
			}
			if got.Children != 0 || got.Subreaper || got.NoNewPriv != 0 {
				t.Errorf("%d children, subreaper %v, no_new_privs %d", got.Children, got.Subreaper, got.NoNewPriv)
			}
		})
	}
}

// What the job had started before is the job's.
func TestExecKeepsTheJobsChildren(t *testing.T) {
	got, _, _ := become(t, task{Child: true, Stray: true})
	if got.Children != 1 {
		t.Errorf("%d children are left, want the one from before", got.Children)
	}
}

// Go raises the limit of open files for itself; the task gets the one that the host was given.
func TestExecKeepsLimits(t *testing.T) {
	cmd := start(t, task{Plan: []string{"/bin/sh", "-c", "ulimit -S -n"}})
	// Through a shell, which sets the limit that Go finds when it starts.
	cmd.Path, cmd.Args = "/bin/sh", []string{"sh", "-c", `ulimit -S -n 300 && exec "$0"`, os.Args[0]}
	out, err := cmd.CombinedOutput()
	if err != nil || string(out) != "300\n" {
		t.Errorf("%v, open files %q, want 300", err, out)
	}
}

func TestExecFails(t *testing.T) {
	here, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	zero := null(t, "/dev/zero")
	got, said, _ := become(t, task{Missing: true, Dir: "/", PassOn: []int{3}}, zero)
	if said != "executing /no/such/program: no such file or directory" {
		t.Errorf("said %q", said)
	}
	if got.Dir != here || len(got.Files) != 0 || !got.Subreaper {
		t.Errorf("not as before: directory %s, descriptors %v, subreaper %v", got.Dir, got.Files, got.Subreaper)
	}
	_, said, _ = become(t, task{Missing: true, Dir: "/no/such/directory"})
	if said != "entering the runtime's working directory: chdir /no/such/directory: no such file or directory" {
		t.Errorf("said %q", said)
	}
}

func TestMissingDescriptor(t *testing.T) {
	cmd := start(t, task{Files: 2}, null(t, "/dev/zero"))
	out, err := cmd.CombinedOutput()
	if err == nil || string(out) != "descriptor 4, which is to be passed on, is not open\n" {
		t.Errorf("%v: %s", err, out)
	}
}

// A signal that arrives while the host plans ends it, visibly, and only once it lets it.
func TestHeldSignal(t *testing.T) {
	for _, sig := range []syscall.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			if got := signalled(t, sig, 0); got != sig {
				t.Errorf("died of %v, want %v", got, sig)
			}
		})
	}
}

// Whenever it arrives, a signal is neither lost nor seen twice: the process dies of it, as host or
// as task. Dead of SIGKILL would be one that got lost.
func TestSignalAtAnyTime(t *testing.T) {
	for range 40 {
		sig := []syscall.Signal{unix.SIGHUP, unix.SIGINT, unix.SIGQUIT, unix.SIGTERM}[rand.IntN(4)]
		if got := signalled(t, sig, time.Duration(1+rand.IntN(4000))*time.Microsecond); got != sig {
			t.Fatalf("died of %v, want %v", got, sig)
		}
	}
}

// signalled sends sig to a host, before it is told to go on or that long after, and returns what it
// died of.
func signalled(t *testing.T, sig syscall.Signal, after time.Duration) syscall.Signal {
	t.Helper()
	cmd := start(t, task{Signal: true, Plan: []string{"/bin/sleep", "1000"}})
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	lines := bufio.NewScanner(out)
	if !lines.Scan() || lines.Text() != "ready" {
		t.Fatalf("said %q", lines.Text())
	}
	if after > 0 {
		fmt.Fprintln(in)
		time.Sleep(after) // the random moment is the point
	}
	if err := cmd.Process.Signal(sig); err != nil {
		t.Fatal(err)
	}
	if after == 0 {
		fmt.Fprintln(in)
	}
	defer context.AfterFunc(await.Context(t), func() { _ = cmd.Process.Kill() })() // one that lost the signal hangs
	return diedOf(t, cmd.Wait())
}
