package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

// ociLab is a bundle that berth run is given, whose containers OCI mode runs.
type ociLab struct{ *lab }

func newOCILab(t *testing.T, script string) *ociLab {
	t.Helper()
	l := &ociLab{liveLab(t, apptainer)}
	l.c.ID = fmt.Sprintf("%s-%d", t.Name(), os.Getpid())
	must(t, os.Symlink("busybox", l.path("image/bin/stty")))
	l.spec = &specs.Spec{
		Version: "1.0.2", Root: &specs.Root{Path: l.path("image")}, Hostname: "its-own",
		Process: &specs.Process{Args: []string{"sh", "-c", script}, Cwd: "/", Env: []string{"PATH=/bin", "A=b c"}},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755"}},
			{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"newinstance", "ptmxmode=0666"}},
		},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{
			{Type: specs.PIDNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.MountNamespace},
		}},
	}
	return l
}

// command is berth with args, and with the bundle for the last one where that is to run.
func (l *ociLab) command(t *testing.T, args ...string) *exec.Cmd {
	t.Helper()
	program := filepath.Join(programs, "berth")
	if args[0] != "run" {
		return exec.Command(program, args...)
	}
	writeConfig(t, l.c.Bundle, l.spec)
	cmd := exec.Command(program, append(args, "--id", l.c.ID, l.c.Bundle)...)
	t.Cleanup(func() { // nothing, unless the test has failed
		if cmd.Process != nil {
			_ = cmd.Process.Kill()
		}
		_ = exec.Command(program, "delete", "--force", l.c.ID).Run()
	})
	return cmd
}

func (l *ociLab) berth(t *testing.T, stdin string, args ...string) (status int, stdout, stderr string) {
	t.Helper()
	cmd := l.command(t, args...)
	var out, errs bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader(stdin), &out, &errs
	_ = cmd.Run() // the status is in ProcessState
	return statusOf(cmd), out.String(), errs.String()
}

func statusOf(cmd *exec.Cmd) int {
	if cmd.ProcessState == nil {
		return -1
	}
	return status(cmd)
}

func TestOCILiveStatus(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 42": 42, "exit 255": 255, "exec nosuch": 127, "exec /file": 126} {
		if got, out, errs := newOCILab(t, script).berth(t, "", "run"); got != want || out != "" {
			t.Errorf("%s: status %d instead of %d: %q, %q", script, got, want, out, errs)
		}
	}
	if got, _, errs := newOCILab(t, "kill -KILL $$").berth(t, "", "run", "--init"); got != 137 {
		t.Errorf("killed: status %d: %s", got, errs)
	}
	l := newOCILab(t, "")
	l.spec.Process.Args = []string{"nosuch"}
	if got, out, errs := l.berth(t, "", "run"); got != 127 || out != "" || !strings.HasPrefix(errs, "berth-init: ") {
		t.Errorf("no such command: status %d, %q, %q", got, out, errs)
	}
}

func TestOCILiveStreams(t *testing.T) {
	text := strings.Repeat("line\n", 200_000)
	got, out, errs := newOCILab(t, "cat; echo err >&2").berth(t, text, "run")
	if got != 0 || out != text || errs != "err\n" {
		t.Errorf("status %d, %d bytes, %q", got, len(out), errs)
	}
	if got, out, errs := newOCILab(t, "cat; readlink /proc/self/fd/* | grep -v -e pipe: -e null -e /proc/").berth(t, "", "run"); got == 0 || out != "" {
		t.Errorf("status %d, %q, %q", got, out, errs)
	}
}

func TestOCILiveSignals(t *testing.T) {
	sent := []syscall.Signal{unix.SIGUSR1, unix.SIGHUP, unix.SIGINT, unix.SIGTERM}
	script := ""
	for _, sig := range sent {
		script += fmt.Sprintf("trap 'echo %d' %d; ", sig, sig)
	}
	l := newOCILab(t, script+"trap 'echo 15; exit 7' 15; echo ready; while :; do sleep 0.01; done")
	file, err := os.Create(l.path("out"))
	must(t, err)
	defer file.Close()
	cmd := l.command(t, "run")
	cmd.Stdout = file
	must(t, cmd.Start())
	want := "ready\n"
	for _, sig := range append([]syscall.Signal{0}, sent...) {
		if sig != 0 {
			must(t, cmd.Process.Signal(sig))
			want += fmt.Sprintln(int(sig))
		}
		eventually(t, "the program says "+want, func() bool { text, _ := os.ReadFile(l.path("out")); return string(text) == want })
	}
	_ = cmd.Wait()
	if got := statusOf(cmd); got != 7 {
		t.Errorf("status %d", got)
	}
}

func TestOCILiveTerminal(t *testing.T) {
	l := newOCILab(t, "stty size; trap 'echo interrupted >/dev/tty; exit 9' INT; echo ready; while :; do sleep 0.01; done")
	fd, err := unix.Open("/dev/ptmx", unix.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC|unix.O_NONBLOCK, 0)
	must(t, err)
	master := os.NewFile(uintptr(fd), "master")
	defer master.Close()
	must(t, unix.IoctlSetPointerInt(fd, unix.TIOCSPTLCK, 0))
	must(t, unix.IoctlSetWinsize(fd, unix.TIOCSWINSZ, &unix.Winsize{Row: 33, Col: 101}))
	number, err := unix.IoctlGetUint32(fd, unix.TIOCGPTN)
	must(t, err)
	terminal, err := os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY, 0)
	must(t, err)
	cmd := l.command(t, "run", "--tty")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = terminal, terminal, terminal
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Setctty: true}
	must(t, cmd.Start())
	terminal.Close()
	must(t, master.SetDeadline(await.End(t)))
	seen, typed := "", false
	for buf := make([]byte, 1000); ; {
		n, err := master.Read(buf) // EIO: nobody has the terminal any more
		seen += string(buf[:n])
		if strings.Contains(seen, "ready") && !typed {
			_, writeErr := master.WriteString("\x03")
			must(t, writeErr)
			typed = true
		}
		if err != nil {
			break
		}
	}
	if !strings.Contains(seen, "interrupted") {
		t.Fatalf("%q", seen)
	}
	_ = cmd.Wait()
	if got := statusOf(cmd); got != 9 || !strings.Contains(seen, "33 101") {
		t.Errorf("status %d: %q", got, seen)
	}
}

func TestOCILiveContainer(t *testing.T) {
	l := newOCILab(t, "echo $$; hostname; id -u; umask; cat /data/f; touch /data/no 2>/dev/null || echo ro; touch /tmp/yes; cat /proc/self/status | grep CapBnd; echo $A")
	must(t, os.Symlink("busybox", l.path("image/bin/grep")))
	must(t, os.Mkdir(l.path("source"), 0o755))
	must(t, os.WriteFile(l.path("source/f"), []byte("bound\n"), 0o644))
	l.spec.Mounts = append(l.spec.Mounts, bindMount(l.path("source"), "/data", "ro"), specs.Mount{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs"})
	mask := unix.Umask(0o027)
	got, out, errs := l.berth(t, "", "run")
	unix.Umask(mask)
	if want := fmt.Sprintf("1\nits-own\n%d\n", os.Geteuid()) + "0027\nbound\nro\nCapBnd:\t0000000000000000\nb c\n"; got != 0 || out != want {
		t.Errorf("status %d: %q, %q", got, out, errs)
	}
}

// running starts a container that sleeps, and waits for it.
func (l *ociLab) running(t *testing.T) *exec.Cmd {
	t.Helper()
	cmd := l.command(t, "run")
	must(t, cmd.Start())
	eventually(t, "it runs", func() bool { _, out, _ := l.berth(t, "", "state", l.c.ID); return strings.Contains(out, `"running"`) })
	return cmd
}

func TestOCILiveLifecycle(t *testing.T) {
	l := newOCILab(t, "sleep 1000")
	l.spec.Process.Args = []string{"sleep", "1000"}
	id := l.c.ID
	cmd := l.running(t)
	if got, _, errs := l.berth(t, "", "kill", id, "KILL"); got != 0 {
		t.Errorf("kill: status %d: %s", got, errs)
	}
	_ = cmd.Wait()
	if got := statusOf(cmd); got != 137 {
		t.Errorf("status %d", got)
	}
	l.gone(t, id)
	cmd = l.running(t) // whose supervisor is killed
	must(t, cmd.Process.Kill())
	_ = cmd.Wait()
	if got, _, errs := l.berth(t, "", "delete", "--force", id); got != 0 {
		t.Errorf("delete: status %d: %s", got, errs)
	}
	l.gone(t, id)
}

// gone checks that nothing is left of a container: no process, control group, or state of anybody's.
func (l *ociLab) gone(t *testing.T, id string) {
	t.Helper()
	if got, out, _ := l.berth(t, "", "state", id); got != 125 || out != "" {
		t.Errorf("state of what is gone: status %d, %q", got, out)
	}
	if found, err := monitored(id); found || err != nil {
		t.Errorf("its monitor runs: %v, %v", found, err)
	}
	for _, pattern := range []string{"/sys/fs/cgroup/*/apptainer-oci/", "/sys/fs/cgroup/apptainer-oci/", "/root/.apptainer/instances/oci/*/*/", "/run/berth/*/"} {
		if left, err := filepath.Glob(pattern + id); err != nil || len(left) > 0 {
			t.Errorf("left: %v, %v", left, err)
		}
	}
}

// Without sudo it is root's alone: one line, and one of advice.
func TestOCIUserLiveIsRefused(t *testing.T) {
	got, out, errs := newOCILab(t, "true").berth(t, "", "run")
	if got != 125 || out != "" || !strings.HasPrefix(errs, "berth: driver \"singularity\": the runtime's oci commands are for root alone") || strings.Count(errs, "\n") != 2 {
		t.Errorf("status %d, %q, %q", got, out, errs)
	}
}
