package main

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

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
)

// liveLab is a lab whose containers the runtime runs: its image has busybox, and berth-init is there.
func liveLab(t *testing.T, runtime string, args ...string) *lab {
	t.Helper()
	init := filepath.Join(programs, "berth-init")
	_, err := os.Stat(init)
	must(t, err)
	l := newLab(t, "")
	l.settings.Runtime = runtime
	busybox, err := os.ReadFile("/bin/busybox")
	must(t, err)
	must(t, os.Mkdir(l.path("image/bin"), 0o755))
	must(t, os.WriteFile(l.path("image/bin/busybox"), busybox, 0o755))
	for _, name := range []string{"sh", "env", "cat", "ls", "id", "touch", "sleep", "kill", "hostname"} {
		must(t, os.Symlink("busybox", l.path("image/bin/"+name)))
	}
	l.spec.Mounts[2].Source = init
	l.addSubordinateIDs()
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

func TestLiveExitStatus(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		for script, want := range map[string]int{"exit 0": 0, "exit 42": 42, "exit 255": 255, "kill -9 $$": 137, "kill -15 $$": 143} {
			liveLab(t, runtime, "sh", "-c", script).expect(t, want, "")
		}
		for name, want := range map[string]int{"nosuch": 127, "/file": 126, "/data": 126} {
			if got, out := liveLab(t, runtime, name).run(t); got != want || !strings.HasPrefix(out, "berth-init: ") {
				t.Errorf("%s: status %d instead of %d: %q", name, got, want, out)
			}
		}
	})
}

func TestLiveEnvironmentIsExact(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		for _, env := range [][]string{
			{},
			{"PATH=/bin", "A=b c", "Q='q'", "D=$HOME:$A", "N=a\nb", "E=", "U=größe", "T=~", "W=a:~/b", "with.dot=1", `Z=\u000A`, "B=`id`"},
			{
				"PATH=/nowhere", "HOME=/h", "USER=u", "TMPDIR=/t", "LD_LIBRARY_PATH=/l:", "LD_PRELOAD=", "PS1=x", "PWD=/elsewhere", "UID=7", "IFS=x", "SHLVL=9",
				"SINGULARITYENV_X=1", "APPTAINER_BIND=/etc", "SINGULARITY_NAME=n", "GODEBUG=x", "LC_ALL=de_DE.UTF-8", "OPTIND=3",
			},
		} {
			l := liveLab(t, runtime, "/bin/cat", "/proc/self/environ")
			must(t, os.MkdirAll(l.path("image/.singularity.d/env"), 0o755)) // as in images made for the runtime
			must(t, os.WriteFile(l.path("image/.singularity.d/env/90-environment.sh"), []byte("export OF_THE_IMAGE=1\n"), 0o755))
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
	})
}

func TestLiveMounts(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		l := liveLab(t, runtime, "/bin/sh", "-c", "cat /data/f /tmp/slurm/startup /new/dir/f /dev/.slurm/f; echo x >/data/written; touch /new/dir/no 2>/dev/null || echo ro")
		must(t, os.MkdirAll(l.path("source"), 0o755))
		must(t, os.WriteFile(l.path("source/f"), []byte("in a directory\n"), 0o644))
		must(t, os.WriteFile(l.path("script"), []byte("in /tmp\n"), 0o644))
		l.spec.Mounts = append(l.spec.Mounts,
			specs.Mount{Destination: "/tmp", Type: "tmpfs", Options: []string{"mode=1777"}},
			bindMount(l.path("source"), "/data"), bindMount(l.path("script"), "/tmp/slurm/startup"), bindMount(l.path("source"), "/new/dir", "ro"), bindMount(l.path("source"), "/dev/.slurm"))
		l.expect(t, 0, "in a directory\nin /tmp\nin a directory\nin a directory\nro\n")
		if text, err := os.ReadFile(l.path("source/written")); string(text) != "x\n" {
			t.Errorf("what the program wrote is not there: %q, %v", text, err)
		}
	})
}

func TestLiveRootIsReadOnlyOrWritable(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		liveLab(t, runtime, "sh", "-c", "touch /x 2>/dev/null || touch /data/x 2>/dev/null || exit 3").expect(t, 3, "")
		l := liveLab(t, runtime, "touch", "/x")
		l.spec.Root.Readonly = false
		l.expect(t, 0, "")
		if _, err := os.Stat(l.path("image/x")); err != nil {
			t.Error(err)
		}
	})
}

// Nothing of the node is there but what config.json asks for and the runtime cannot leave out.
func TestLiveNothingIsAdded(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		l := liveLab(t, runtime, "sh", "-c", "ls -A / /etc /tmp /sys; cd /dev; ls -d *; pwd -P")
		added := map[string]string{singularityCE: "resolv.conf\n"}[runtime] // to Apptainer 1.5 it is one of the bind paths
		l.expect(t, 0, "/:\n.berth-init\nbin\ndata\ndev\netc\nfile\nproc\nsys\ntmp\n\n/etc:\n"+added+"\n/sys:\n\n/tmp:\n"+
			"fd\nfull\nnull\nrandom\nshm\nstderr\nstdin\nstdout\ntty\nurandom\nzero\n/dev\n")
	})
}

func TestLiveDirectory(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		l := liveLab(t, runtime, "sh", "-c", "pwd")
		l.spec.Process.Cwd = "/data"
		l.expect(t, 0, "/data\n")
	})
}

func TestLiveDevices(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		l := liveLab(t, runtime, "sh", "-c", "ls /dev/fuse; : </dev/full; echo </dev/null >/dev/null")
		l.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/fuse", Type: "c", Major: 10, Minor: 229}}
		l.expect(t, 0, "/dev/fuse\n")
	})
}

func TestLiveNamespaces(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		l := liveLab(t, runtime, "sh", "-c", "echo $$; hostname; cat /proc/net/dev | grep -c :")
		must(t, os.Symlink("busybox", l.path("image/bin/grep")))
		l.spec.Mounts[0] = specs.Mount{Destination: "/proc", Type: "proc", Source: "proc"}
		for _, kind := range []specs.LinuxNamespaceType{specs.PIDNamespace, specs.IPCNamespace, specs.UTSNamespace, specs.NetworkNamespace} {
			l.spec.Linux.Namespaces = append(l.spec.Linux.Namespaces, specs.LinuxNamespace{Type: kind})
		}
		l.spec.Hostname = "its-own"
		got, out := l.run(t)
		if lines := strings.Fields(out); got != 0 || len(lines) != 3 || lines[0] != "1" || lines[1] != "its-own" {
			t.Errorf("status %d: %q", got, out)
		}
	})
}

func TestLiveUser(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		liveLab(t, runtime, "sh", "-c", "id -u; id -g").expect(t, 0, "0\n0\n")
		l := liveLab(t, runtime, "sh", "-c", "id -u; id -g; touch /data/mine")
		asCaller(l)
		l.spec.Root.Readonly = false
		l.expect(t, 0, fmt.Sprintf("%d\n%d\n", os.Geteuid(), os.Getegid()))
		info, err := os.Stat(l.path("image/data/mine"))
		must(t, err)
		if owner := info.Sys().(*syscall.Stat_t).Uid; int(owner) != os.Geteuid() {
			t.Errorf("its file belongs to %d", owner)
		}
	})
}

func TestLiveImages(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		if runtime == singularityCE && os.Geteuid() == 0 && !allCapabilities(t) {
			t.Skip("as root SingularityCE unpacks images by a container with all capabilities, which this root lacks")
		}
		for _, name := range []string{"image.sif", "image.sqfs"} {
			for _, readonly := range []bool{true, false} {
				l := liveLab(t, runtime, "sh", "-c", "ls -d /data; touch /data/new 2>/dev/null || exit 3; exit 42")
				make := exec.Command("mksquashfs", l.path("image"), l.path(name), "-all-root", "-quiet", "-no-progress")
				if strings.HasSuffix(name, ".sif") {
					make = exec.Command(runtime, "--silent", "build", l.path(name), l.path("image"))
				}
				out, err := make.CombinedOutput()
				if err != nil {
					t.Fatalf("%v: %s", err, out)
				}
				l.spec.Root.Path, l.spec.Root.Readonly = l.path(name), readonly
				l.expect(t, map[bool]int{true: 3, false: 42}[readonly], "/data\n")
			}
		}
	})
}

// allCapabilities says whether the caller has every capability that the kernel knows.
func allCapabilities(t *testing.T) bool {
	t.Helper()
	text, err := os.ReadFile("/proc/self/status")
	must(t, err)
	_, rest, _ := strings.Cut(string(text), "\nCapPrm:\t")
	mine, _, _ := strings.Cut(rest, "\n")
	text, err = os.ReadFile("/proc/sys/kernel/cap_last_cap")
	must(t, err)
	last, err := strconv.Atoi(strings.TrimSpace(string(text)))
	must(t, err)
	return mine == fmt.Sprintf("%016x", uint64(1)<<(last+1)-1)
}

// SIGKILL of the task leaves nothing, with an image and its server too.
func TestLiveKilled(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		token := fmt.Sprintf("600.%09d", os.Getpid())
		l := liveLab(t, runtime, "sleep", token)
		plan, err := l.plan(t)
		cmd, _ := start(t, plan, err)
		t.Cleanup(func() { _ = cmd.Process.Kill() })
		eventually(t, "the program runs", func() bool { return len(sleeping(token)) > 0 })
		must(t, cmd.Process.Kill())
		_ = cmd.Wait()
		eventually(t, "the program has ended", func() bool { return len(sleeping(token)) == 0 })
	})
}

func eventually(t *testing.T, what string, holds func() bool) {
	t.Helper()
	await.True(t, func() string { return what }, holds)
}

// sleeping are the processes that are sleep with this argument.
func sleeping(token string) (pids []int) {
	files, _ := filepath.Glob("/proc/[0-9]*/cmdline")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		if bytes.HasPrefix(text, []byte("sleep\x00"+token)) {
			pid, _ := strconv.Atoi(strings.Split(file, "/")[2])
			pids = append(pids, pid)
		}
	}
	return pids
}
