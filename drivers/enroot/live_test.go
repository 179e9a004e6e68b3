package main

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
)

// live runs a test with each runtime, in a lab whose containers run: its image has busybox, and
// berth-init is there.
func live(t *testing.T, test func(t *testing.T, l *lab)) {
	t.Helper()
	for name, runtime := range runtimes(t) {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.settings.Runtime = runtime
			l.fill(t, l.path("image"))
			l.spec.Mounts = append(l.spec.Mounts, specs.Mount{
				Destination: "/dev/.berth-init", Type: "bind", Source: program("berth-init"), Options: []string{"bind", "ro", "nosuid", "nodev"},
			})
			test(t, l)
		})
	}
}

// fill makes a root file system.
func (l *lab) fill(t *testing.T, dir string) {
	t.Helper()
	busybox, err := os.ReadFile("/bin/busybox")
	must(t, err)
	must(t, os.MkdirAll(filepath.Join(dir, "bin"), 0o755))
	must(t, os.WriteFile(filepath.Join(dir, "bin/busybox"), busybox, 0o755))
	for _, name := range []string{"sh", "cat", "ls", "id", "touch", "sleep", "pwd"} {
		must(t, os.Symlink("busybox", filepath.Join(dir, "bin", name)))
	}
}

// args makes the program what follows.
func (l *lab) args(args ...string) *lab {
	l.spec.Process.Args = append([]string{"/dev/.berth-init", "--"}, args...)
	return l
}

// again is the same container a second time.
func (l *lab) again(t *testing.T) {
	t.Helper()
	must(t, os.RemoveAll(filepath.Join(l.c.Bundle, containerDir)))
}

func (l *lab) start(t *testing.T) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	plan, err := l.plan(t)
	if err != nil {
		t.Fatalf("%v (%s)", err, sdk.Advice(err))
	}
	return begin(t, plan)
}

func begin(t *testing.T, plan *sdk.Command) (*exec.Cmd, *bytes.Buffer) {
	t.Helper()
	out := new(bytes.Buffer)
	cmd := &exec.Cmd{Path: plan.Path, Args: plan.Args, Env: plan.Env, Dir: plan.Dir, Stdout: out, Stderr: out}
	must(t, cmd.Start())
	return cmd, out
}

func (l *lab) expect(t *testing.T, wantStatus int, want string) {
	t.Helper()
	cmd, out := l.start(t)
	_ = cmd.Wait() // the status is in ProcessState
	if got := status(cmd); got != wantStatus || out.String() != want {
		t.Errorf("status %d instead of %d: %q instead of %q", got, wantStatus, out, want)
	}
	l.again(t)
}

func status(cmd *exec.Cmd) int {
	if w := cmd.ProcessState.Sys().(syscall.WaitStatus); w.Signaled() {
		return 128 + int(w.Signal())
	}
	return cmd.ProcessState.ExitCode()
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	await.True(t, func() string { return what }, holds)
}

func TestLiveExitStatus(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		for script, want := range map[string]int{"exit 0": 0, "exit 42": 42, "kill -9 $$": 137, "kill -15 $$": 143} {
			l.args("sh", "-c", script).expect(t, want, "")
		}
		l.args("nosuch").expect(t, 127, "berth-init: \"nosuch\": not found in the container\n")
	})
}

// Whatever variables there are arrive, and no others: also what no shell, file of lines or command line
// could carry. None of them is where other users of the node could read it.
func TestLiveEnvironmentIsExact(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		must(t, os.Mkdir(l.path("image/etc"), 0o755))
		must(t, os.WriteFile(l.path("image/etc/environment"), []byte("IMAGE=1\nPATH=/image\n"), 0o644))
		for _, rc := range []string{"", "exit 3\n"} {
			for _, env := range [][]string{
				{},
				{"PATH=/bin", "A=b c", "Q='q'", `QQ="q"`, "D=$HOME:${PATH}`id`$(id)", "N=a\nb\n", "E=", "U=größe", "ENROOT_X=1", "a.b=c", "BASH_FUNC_x%%=() { :; }"},
				{"PATH=/nowhere", "HOME=/h", "SHELL=/s", "LD_PRELOAD=/l", "BASH_ENV=/b", "LONG=" + strings.Repeat("y", 128<<10-6)},
			} {
				if rc != "" {
					must(t, os.WriteFile(l.path("image/etc/rc"), []byte(rc), 0o755))
				}
				l.spec.Process.Env = env
				l.args("/bin/cat", "/proc/self/environ")
				want := strings.Join(append(env, ""), "\x00")
				plan, err := l.plan(t)
				must(t, err)
				if argv := strings.Join(plan.Args, " "); strings.Contains(argv, "größe") || strings.Contains(argv, "yyy") {
					t.Error("a variable is on the command line")
				}
				l.again(t)
				l.expect(t, 0, want)
			}
		}
	})
}

func TestLiveMounts(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		must(t, os.MkdirAll(l.path("a source$X"), 0o755))
		must(t, os.WriteFile(l.path("a source$X/f"), []byte("in a directory\n"), 0o644))
		must(t, os.WriteFile(l.path("script"), []byte("in /tmp\n"), 0o644))
		l.spec.Mounts = append(l.spec.Mounts,
			specs.Mount{Destination: "/new/dir", Type: "none", Source: l.path("a source$X"), Options: []string{"bind"}},
			specs.Mount{Destination: "/ro", Type: "none", Source: l.path("a source$X"), Options: []string{"bind", "ro"}},
			specs.Mount{Destination: "/tmp", Type: "tmpfs", Options: []string{"mode=1777", "size=1m"}},
			specs.Mount{Destination: "/tmp/slurm/startup", Type: "none", Source: l.path("script"), Options: []string{"bind"}})
		l.args("sh", "-c", "cat /new/dir/f /tmp/slurm/startup; echo x >/new/dir/written; touch /ro/y 2>/dev/null || touch /y 2>/dev/null || echo ro; touch /tmp/z && pwd")
		l.spec.Process.Cwd = "/new/dir"
		l.expect(t, 0, "in a directory\nin /tmp\nro\n/new/dir\n")
		if text, err := os.ReadFile(l.path("a source$X/written")); string(text) != "x\n" {
			t.Errorf("what the program wrote is not there: %q, %v", text, err)
		}
	})
}

func TestLiveRootIsWritable(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		l.spec.Root.Readonly = false
		l.args("touch", "/written").expect(t, 0, "")
		if _, err := os.Stat(l.path("image/written")); err != nil {
			t.Error(err)
		}
	})
}

// The image's entry point does not run, and the image needs no shell.
func TestLiveEntryPointDoesNotRun(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		must(t, os.Mkdir(l.path("image/etc"), 0o755))
		must(t, os.WriteFile(l.path("image/etc/rc"), []byte("echo entry point\n"), 0o755))
		must(t, os.Remove(l.path("image/bin/sh")))
		l.args("/bin/busybox", "echo", "$HOME two  words", "").expect(t, 0, "$HOME two  words \n")
	})
}

// The site's hooks run, with the variables that say which devices a container gets and no others.
func TestLiveHooks(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		hook := l.path("hook.sh")
		must(t, os.WriteFile(hook, []byte("#!/bin/sh\necho \"$NVIDIA_VISIBLE_DEVICES:${SECRET-none}\" >\"$ENROOT_ROOTFS/hooked\"\n"), 0o755))
		l.settings.Hooks = []string{hook}
		l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=0,1", "SECRET=x")
		l.args("cat", "/hooked").expect(t, 0, "0,1:none\n")
	})
}

func TestLiveExec(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		cmd, _ := l.args("sleep", "600").start(t)
		t.Cleanup(func() {
			_ = cmd.Process.Kill()
			_ = cmd.Wait()
		})
		l.c.Pid = cmd.Process.Pid
		eventually(t, "the program runs", func() bool { return inside(l.c.Pid) == nil })
		p := *l.spec.Process
		p.Args, p.Env, p.Cwd = []string{"sh", "-c", "ls -d /data; echo \"$A\"; pwd; exit 9"}, []string{"PATH=/bin", "A=1\n2"}, "/data"
		text, err := json.Marshal(p)
		must(t, err)
		plan, err := l.Exec(t.Context(), l.c, &sdk.Process{Spec: text})
		must(t, err)
		further, out := begin(t, plan)
		_ = further.Wait()
		if status(further) != 9 || out.String() != "/data\n1\n2\n/data\n" {
			t.Errorf("status %d: %q", status(further), out)
		}
		if _, err := l.Exec(t.Context(), l.c, &sdk.Process{Spec: text, Files: 1}); sdk.Kind(err) != sdk.ErrUnsupported {
			t.Errorf("with a descriptor: %v", err)
		}
	})
}

func TestExecRefusesWhatIsNotInAContainer(t *testing.T) {
	for _, pid := range []int{os.Getpid(), 1 << 22} {
		if err := inside(pid); sdk.Kind(err) != sdk.ErrState {
			t.Errorf("joining %d: %v", pid, err)
		}
	}
}
