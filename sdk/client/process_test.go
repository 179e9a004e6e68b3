package client

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/hashicorp/go-hclog"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

// What a driver finds when it starts: docs/protocol.md, "Start".
func TestProcess(t *testing.T) {
	for _, name := range []string{"PLUGIN_CLIENT_CERT", "LD_PRELOAD", "LISTEN_FDS", "GODEBUG_X", "PLUGIN_MIN_PORT"} {
		t.Setenv(name, "from the caller")
	}
	r, w, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	defer w.Close()
	if _, err := unix.FcntlInt(r.Fd(), unix.F_SETFD, 0); err != nil { // as a careless caller leaves it
		t.Fatal(err)
	}
	defer unix.CloseOnExec(int(r.Fd()))
	cfg := config(t, "report")
	cfg.Env = append(cfg.Env, "PLUGIN_CLIENT_CERT=junk", "BERTH_DRIVER_COOKIE=other", "A=b")
	d := start(t, cfg)
	cmd, err := d.Run(await.Context(t), container())
	if err != nil {
		t.Fatal(err)
	}
	got := map[string]string{}
	for _, line := range cmd.Args[1:] {
		name, value, _ := strings.Cut(line, "=")
		got[name] = value
	}
	want := map[string]string{
		"stdin": "/dev/null", "stdout": "/dev/null", "group": "true", "dir": "/", "umask": "077", "no_new_privs": "1",
		"initial": "HOSTILE=report A=b BERTH_DRIVER_COOKIE=berth.driver.v1 PLUGIN_PROTOCOL_VERSIONS=1 PLUGIN_UNIX_SOCKET_DIR=" + d.proc.socketDir + " GOMAXPROCS=2",
		"files":   strings.Join(careless(t), " "),
	}
	// Descriptors without close-on-exec are the host's to prevent: see host/handoff. What this
	// package opens itself must not arrive.
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if diff := cmp.Diff([]string{"A=b", "HOSTILE=report"}, sorted(cmd.Env)); diff != "" {
		t.Errorf("the environment at the first call, -want +got:\n%s", diff)
	}
	if nnp, err := unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0); err != nil || nnp != 0 {
		t.Errorf("the host itself has no_new_privs: %d, %v", nnp, err)
	}
}

// careless lists the descriptors that this process itself would hand to any child.
func careless(t *testing.T) []string {
	links, err := filepath.Glob("/proc/self/fd/*")
	if err != nil {
		t.Fatal(err)
	}
	var found []string
	for _, path := range links {
		fd, _ := strconv.Atoi(filepath.Base(path))
		target, err := os.Readlink(path)
		flags, flagErr := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		if fd > 2 && err == nil && flagErr == nil && flags&unix.FD_CLOEXEC == 0 {
			found = append(found, fmt.Sprintf("%d:%s", fd, target))
		}
	}
	return found
}

func sorted(list []string) []string {
	out := append([]string{}, list...)
	if len(out) == 2 && out[0] > out[1] {
		out[0], out[1] = out[1], out[0]
	}
	return out
}

func TestSurvivesSignals(t *testing.T) {
	d := start(t, config(t, ""))
	for _, sig := range []syscall.Signal{syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP, syscall.SIGQUIT, syscall.SIGUSR1, syscall.SIGUSR2, syscall.SIGALRM} {
		if err := syscall.Kill(d.Pid(), sig); err != nil {
			t.Fatal(err)
		}
	}
	if _, err := d.Run(await.Context(t), container()); err != nil {
		t.Error(err)
	}
}

func TestFile(t *testing.T) {
	cfg := config(t, "")
	f, err := os.Open(cfg.Path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	cfg.File, cfg.Path = f, "/some/other/name"
	if _, err := start(t, cfg).Run(await.Context(t), container()); err != nil {
		t.Error(err)
	}
}

// A child that holds the driver's stderr must not delay Close, and one in its group ends with it.
func TestLeakedChild(t *testing.T) {
	for _, where := range []string{"group", "session"} {
		t.Run(where, func(t *testing.T) {
			cfg := config(t, "leak:"+where)
			note := filepath.Join(t.TempDir(), "pid")
			cfg.Env = append(cfg.Env, "HOSTILE_PID="+note)
			d := start(t, cfg)
			if _, err := d.Run(await.Context(t), container()); err != nil {
				t.Fatal(err)
			}
			text, err := os.ReadFile(note)
			if err != nil {
				t.Fatal(err)
			}
			pid, err := strconv.Atoi(string(text))
			if err != nil {
				t.Fatal(err)
			}
			closed(t, d)
			if where == "session" { // for host/handoff to find
				if err := unix.Kill(pid, unix.SIGKILL); err != nil {
					t.Errorf("killing the child: %v", err)
				}
			}
			gone(t, pid)
		})
	}
}

// gone waits until a process has ended, be it reaped or not.
func gone(t *testing.T, pid int) {
	t.Helper()
	await.True(t, func() string { return fmt.Sprintf("process %d has not ended", pid) }, func() bool {
		stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
		return err != nil || bytes.Contains(stat, []byte(") Z "))
	})
}

func TestOutput(t *testing.T) {
	t.Run("noise on stdout", func(t *testing.T) {
		if _, err := start(t, config(t, "raw:noise")).Run(await.Context(t), container()); err != nil {
			t.Error(err)
		}
	})
	t.Run("flood on stderr", func(t *testing.T) {
		var log bytes.Buffer
		cfg := config(t, "flood")
		cfg.Log = hclog.New(&hclog.LoggerOptions{Level: hclog.Trace, Output: &log, DisableTime: true})
		d := start(t, cfg)
		if _, err := d.Run(await.Context(t), container()); err != nil {
			t.Error(err)
		}
		d.Close()
		if lines := strings.Count(log.String(), "\n"); lines > maxLogLines+1 || !strings.Contains(log.String(), "writes too much") {
			t.Errorf("%d lines were logged", lines)
		}
		if strings.Contains(log.String(), "\x1b") {
			t.Error("escape codes reach the log")
		}
	})
}

func TestDiesWithHost(t *testing.T) {
	cmd := exec.Command("/proc/self/exe")
	dir, err := os.MkdirTemp("/tmp", "berth-client-")
	if err != nil {
		t.Fatal(err)
	}
	defer os.RemoveAll(dir) // a killed host cannot
	cmd.Env = []string{hostHelper + "=" + hostile(t), "BERTH_TEST_SCRATCH=" + dir}
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var pid int
	_, scanErr := fmt.Fscan(out, &pid)
	_ = cmd.Process.Kill()
	_ = cmd.Wait()
	if scanErr != nil {
		t.Fatal(scanErr)
	}
	gone(t, pid)
}
