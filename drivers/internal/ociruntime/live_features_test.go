package ociruntime

import (
	"bufio"
	"encoding/json"
	"net"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
)

func TestLiveMounts(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		file := filepath.Join(t.TempDir(), "data")
		if err := os.WriteFile(file, []byte("from the node\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		c := l.container(t, func(s *specs.Spec) {
			s.Mounts = append(s.Mounts, specs.Mount{Destination: "/dev/data", Type: "bind", Source: file, Options: []string{"bind", "ro"}})
		}, "show", "/dev/data")
		status, out := l.become(t, "run", c)
		if want := "from the node\n<nil>\nopen /dev/data: read-only file system"; status != 0 || !strings.HasPrefix(out, want) {
			t.Errorf("status %d: %q, want %q", status, out, want)
		}
	})
}

func TestLiveEnvironmentIsExact(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		env := []string{"A=x  y", "B=$A", "C=", "D=l1\nl2", "E=ü'\"`\\", "HOME=/h", "F=" + strings.Repeat("z", 100<<10)}
		args := []string{"environ", "", "a b", "*"}
		c := l.container(t, func(s *specs.Spec) { s.Process.Env = env }, args...)
		status, out := l.become(t, "run", c)
		first, rest, _ := strings.Cut(out, "\n")
		rest, _, _ = strings.Cut(rest, "\ntime=") // runc's warnings come last
		if status != 7 || first != `["environ" "" "a b" "*"]` {
			t.Errorf("status %d, args %s", status, first)
		}
		if diff := cmp.Diff(strings.Join(env, "\n"), strings.TrimSuffix(rest, "\n")); diff != "" {
			t.Error(diff)
		}
	})
}

// A poststop hook runs at the container's normal end, and on delete.
func TestLiveHooks(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		for _, end := range []string{"by itself", "by delete"} {
			mark := filepath.Join(t.TempDir(), "mark")
			args := []string{"exit", "0"}
			if end == "by delete" {
				args = []string{"wait"}
			}
			c := l.container(t, func(s *specs.Spec) {
				s.Hooks = &specs.Hooks{Poststop: []specs.Hook{{Path: program(t, "payload"), Args: []string{"payload", "touch", mark}}}}
			}, args...)
			if end == "by itself" {
				l.become(t, "run", c)
			} else {
				l.running(t, c, 1)
				if err := l.Delete(t.Context(), c, true); err != nil {
					t.Error(err)
				}
			}
			if _, err := os.Stat(mark); err != nil {
				t.Errorf("%s: %v", end, err)
			}
		}
	})
}

func TestLiveTerminal(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		dir, err := os.MkdirTemp("/tmp", "oci-") // a socket's path is short
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { os.RemoveAll(dir) })
		c := l.container(t, func(s *specs.Spec) {
			s.Process.Terminal = true
			s.Mounts = append(s.Mounts, specs.Mount{
				Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"newinstance", "ptmxmode=0666", "mode=0620"},
			})
		}, "wait")
		c.IO.ConsoleSocket = filepath.Join(dir, "console")
		listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: c.IO.ConsoleSocket, Net: "unix"})
		if err != nil {
			t.Fatal(err)
		}
		defer listener.Close()
		if status, out := l.become(t, "create", c); status != 0 {
			t.Fatalf("status %d: %s", status, out)
		}
		console := receive(t, listener)
		defer console.Close()
		if _, err := unix.IoctlGetWinsize(int(console.Fd()), unix.TIOCGWINSZ); err != nil {
			t.Errorf("what came is no terminal: %v", err)
		}
		if err := l.Start(t.Context(), c); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(console).ReadString('\n')
		if strings.TrimSpace(line) != "ready" {
			t.Errorf("got %q, %v", line, err)
		}
		further, err := json.Marshal(specs.Process{Terminal: true, Args: []string{"/payload", "exit", "0"}, Cwd: "/"})
		if err != nil {
			t.Fatal(err)
		}
		p := &sdk.Process{Spec: further, IO: sdk.IO{ConsoleSocket: c.IO.ConsoleSocket, Detach: true, PidFile: filepath.Join(dir, "pid")}}
		plan, err := l.Exec(t.Context(), c, p)
		if err != nil {
			t.Fatal(err)
		}
		if status, out := finish(t, execute(plan)); status != 0 {
			t.Errorf("exec: status %d: %s", status, out)
		}
		receive(t, listener).Close()
		text, err := os.ReadFile(p.IO.PidFile)
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(string(text))
		if err != nil {
			t.Fatal(err)
		}
		reap(t, pid)
	})
}

// receive accepts a connection and returns the descriptor that comes over it.
func receive(t *testing.T, listener *net.UnixListener) *os.File {
	t.Helper()
	deadline := await.End(t)
	_ = listener.SetDeadline(deadline)
	conn, err := listener.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	_ = conn.SetDeadline(deadline)
	text, oob := make([]byte, 256), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(text, oob)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := unix.ParseSocketControlMessage(oob[:n])
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		t.Fatalf("%d descriptors, %v", len(fds), err)
	}
	return os.NewFile(uintptr(fds[0]), "console")
}
