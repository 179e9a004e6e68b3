package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
)

// liveLab is a lab whose containers run: its image has busybox, and berth-init is there.
func liveLab(t *testing.T, args ...string) *lab {
	t.Helper()
	needRuntime(t)
	l := newLab(t)
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("needs a static busybox: ", err)
	}
	must(t, os.Mkdir(l.path("image/bin"), 0o755))
	must(t, os.WriteFile(l.path("image/bin/busybox"), busybox, 0o755))
	for _, name := range []string{"sh", "env", "cat", "ls", "id", "touch", "sleep", "kill"} {
		must(t, os.Symlink("busybox", l.path("image/bin/"+name)))
	}
	l.spec.Mounts = append(l.spec.Mounts, specs.Mount{
		Destination: "/dev/.berth-init", Type: "bind", Source: berthInit(), Options: []string{"bind", "ro", "nosuid", "nodev"},
	})
	l.spec.Process.Args = append([]string{"/dev/.berth-init", "--"}, args...)
	return l
}

// start starts the planned command, and returns it and what it writes.
func start(t *testing.T, plan *sdk.Command, err error) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v (%s)", err, sdk.Advice(err))
	}
	out := new(bytes.Buffer)
	cmd := &exec.Cmd{Path: plan.Path, Args: plan.Args, Env: plan.Env, Dir: plan.Dir, Stdout: out, Stderr: out}
	must(t, cmd.Start())
	return cmd, out
}

// run runs the container, and returns its status and what it wrote.
func (l *lab) run(t *testing.T) (int, string) {
	t.Helper()
	plan, err := l.plan(t)
	return finish(t, plan, err)
}

func finish(t *testing.T, plan *sdk.Command, err error) (int, string) {
	t.Helper()
	cmd, out := start(t, plan, err)
	_ = cmd.Wait() // the status is in ProcessState
	return status(cmd), out.String()
}

func status(cmd *exec.Cmd) int {
	if w := cmd.ProcessState.Sys().(syscall.WaitStatus); w.Signaled() {
		return 128 + int(w.Signal())
	}
	return cmd.ProcessState.ExitCode()
}

func (l *lab) expect(t *testing.T, wantStatus int, want string) {
	t.Helper()
	if got, out := l.run(t); got != wantStatus || out != want {
		t.Errorf("status %d instead of %d: %q instead of %q", got, wantStatus, out, want)
	}
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	await.True(t, func() string { return what }, holds)
}

func TestLiveExitStatus(t *testing.T) {
	for script, want := range map[string]int{"exit 0": 0, "exit 42": 42, "exit 255": 255, "kill -9 $$": 137, "kill -15 $$": 143} {
		liveLab(t, "sh", "-c", script).expect(t, want, "")
	}
	for name, want := range map[string]int{"nosuch": 127, "/file": 126, "/data": 126} {
		if got, out := liveLab(t, name).run(t); got != want || !strings.HasPrefix(out, "berth-init: ") {
			t.Errorf("%s: status %d instead of %d: %q", name, got, want, out)
		}
	}
}

func TestLiveEnvironmentIsExact(t *testing.T) {
	for _, env := range [][]string{
		{},
		{"PATH=/bin", "A=b c", "Q='q'", "D=$HOME:$A", "N=a\nb", "E=", "U=größe"},
		{"PATH=/nowhere", "HOME=/h", "USER=u", "TMPDIR=/t", "LD_LIBRARY_PATH=/l:", "LD_PRELOAD=", "CH_RUNNING=x", "GC_MARKERS=3", "GLIBC_TUNABLES=glibc.malloc.check=0", "PWD=/elsewhere"},
	} {
		l := liveLab(t, "/bin/cat", "/proc/self/environ")
		l.spec.Process.Env = env
		got, out := l.run(t)
		have := map[string]bool{}
		for _, entry := range strings.Split(strings.TrimSuffix(out, "\x00"), "\x00") {
			have[entry] = entry != ""
		}
		delete(have, "")
		for _, entry := range env {
			if !have[entry] {
				t.Errorf("%q is missing", entry)
			}
			delete(have, entry)
		}
		if got != 0 || len(have) > 0 {
			t.Errorf("status %d, too much: %v", got, have)
		}
	}
}

func TestLiveMounts(t *testing.T) {
	l := liveLab(t, "/bin/sh", "-c", "cat /data/f /tmp/slurm/startup /dev/shm/here; echo x >/data/written")
	must(t, os.MkdirAll(l.path("source/empty"), 0o755))
	must(t, os.WriteFile(l.path("source/f"), []byte("in a directory\n"), 0o644))
	must(t, os.WriteFile(l.path("script"), []byte("in /tmp\n"), 0o644))
	for target, source := range map[string]string{"/data": "source", "/tmp/slurm/startup": "script", "/dev/shm/here": "script"} {
		l.spec.Mounts = append(l.spec.Mounts, specs.Mount{Destination: target, Type: "none", Source: l.path(source), Options: []string{"bind"}})
	}
	l.expect(t, 0, "in a directory\nin /tmp\nin /tmp\n")
	if text, err := os.ReadFile(l.path("source/written")); string(text) != "x\n" {
		t.Errorf("what the program wrote is not there: %q, %v", text, err)
	}
}

// A directory that the image lacks: made where the image is written to, in a layer in memory where it
// cannot be and ch-run has such a thing, else refused.
func TestLiveMountWithoutPlace(t *testing.T) {
	l := liveLab(t, "ls", "/new/dir")
	l.spec.Root.Readonly = false
	l.spec.Mounts = append(l.spec.Mounts, specs.Mount{Destination: "/new/dir", Type: "none", Source: l.path("image/bin"), Options: []string{"bind"}})
	if got, out := l.run(t); got != 0 || !strings.Contains(out, "busybox") {
		t.Errorf("status %d: %s", got, out)
	}
	if os.Geteuid() == 0 {
		return // who can write every image
	}
	must(t, os.RemoveAll(l.path("image/new")))
	must(t, os.RemoveAll(l.path("bundle/dev")))
	must(t, os.Chmod(l.path("image"), 0o555))
	t.Cleanup(func() { _ = os.Chmod(l.path("image"), 0o755) })
	_, minor, err := l.version(t.Context())
	must(t, err)
	plan, err := l.plan(t)
	if minor < overlayVersion {
		if !errors.Is(err, sdk.ErrUnsupported) || !strings.Contains(err.Error(), "mounts[3].destination") {
			t.Errorf("not refused: %v", err)
		}
		return
	}
	if got, out := finish(t, plan, err); got != 0 || !strings.Contains(out, "busybox") {
		t.Errorf("status %d: %s", got, out)
	}
	if _, err := os.Stat(l.path("image/new")); err == nil {
		t.Error("the image was changed")
	}
}

func TestLiveRootIsReadOnlyOrWritable(t *testing.T) {
	liveLab(t, "sh", "-c", "touch /x 2>/dev/null || touch /data/x 2>/dev/null || exit 3").expect(t, 3, "")
	l := liveLab(t, "touch", "/x")
	l.spec.Root.Readonly = false
	l.expect(t, 0, "")
	if _, err := os.Stat(l.path("image/x")); err != nil {
		t.Error(err)
	}
}

// An own /dev has no device but those that every container gets and those that config.json names.
func TestLiveDevices(t *testing.T) {
	l := liveLab(t, "sh", "-c", "cd /dev; ls -d *; : </dev/full; echo </dev/null >/dev/null")
	l.expect(t, 0, "fd\nfull\nnull\nrandom\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n")
	l = liveLab(t, "ls", "/dev/fuse")
	l.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/fuse", Type: "c", Major: 10, Minor: 229}}
	if _, err := os.Stat("/dev/fuse"); err != nil {
		t.Skip("there is no device to name: ", err)
	}
	l.expect(t, 0, "/dev/fuse\n")
}

func TestLiveUser(t *testing.T) {
	l := liveLab(t, "sh", "-c", "id -u; id -g; touch /data/mine")
	l.spec.Root.Readonly = false
	l.spec.Process.User = specs.User{UID: 1234, GID: 567}
	l.spec.Linux.UIDMappings[0].ContainerID, l.spec.Linux.GIDMappings[0].ContainerID = 1234, 567
	l.expect(t, 0, "1234\n567\n")
	info, err := os.Stat(l.path("image/data/mine"))
	must(t, err)
	if owner := info.Sys().(*syscall.Stat_t).Uid; int(owner) != os.Geteuid() {
		t.Errorf("its file belongs to %d", owner)
	}
}

func TestLiveBerthInitCannotBeChanged(t *testing.T) {
	l := liveLab(t, "sh", "-c", "echo changed >/dev/.berth-init; echo")
	_, _ = l.run(t)
	before, err := os.ReadFile(berthInit())
	if must(t, err); !bytes.HasPrefix(before, []byte("\x7fELF")) {
		t.Error("a container has changed the node's berth-init")
	}
}

// running starts a container that waits, and returns it once its program runs.
func (l *lab) running(t *testing.T) *exec.Cmd {
	t.Helper()
	plan, err := l.plan(t)
	cmd, _ := start(t, plan, err)
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
	})
	eventually(t, "the program runs", func() bool {
		_, err := inside(cmd.Process.Pid)
		return err == nil && len(programs(l)) > 0
	})
	l.c.Pid = cmd.Process.Pid
	return cmd
}

// programs are the processes with this lab's token in their arguments, but ch-run's own.
func programs(l *lab) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if bytes.HasPrefix(text, []byte("sleep\x00600."+l.token())) {
			pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}

// token is a number that no other lab has.
func (l *lab) token() string {
	hash := 0
	for _, b := range []byte(l.dir) {
		hash = (hash*31 + int(b)) % 999_999_937
	}
	return fmt.Sprintf("%09d", hash)
}

func (l *lab) exec(t *testing.T, args ...string) (int, string) {
	t.Helper()
	p := *l.spec.Process
	p.Args, p.Env = args, []string{"PATH=/bin", "HOME=/x"}
	text, err := json.Marshal(p)
	must(t, err)
	plan, err := l.Exec(t.Context(), l.c, &sdk.Process{Spec: text})
	return finish(t, plan, err)
}

func TestLiveExec(t *testing.T) {
	l := liveLab(t)
	l.spec.Process.Args = append(l.spec.Process.Args, "sleep", "600."+l.token())
	l.running(t)
	if got, out := l.exec(t, "sh", "-c", "ls -d /data; echo $HOME; exit 9"); got != 9 || out != "/data\n/x\n" {
		t.Errorf("status %d: %q", got, out)
	}
	if got, out := l.exec(t, "nosuch"); got != 127 {
		t.Errorf("status %d: %q", got, out)
	}
}

func TestExecRefusesWhatIsNotInAContainer(t *testing.T) {
	if _, err := inside(os.Getpid()); !errors.Is(err, sdk.ErrState) {
		t.Errorf("joining a process on the node: %v", err)
	}
	if _, err := inside(1 << 22); !errors.Is(err, sdk.ErrState) {
		t.Errorf("joining nobody: %v", err)
	}
}
