package main

import (
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
)

// live runs test with each low-level runtime that works here, and a container that has busybox.
func live(t *testing.T, test func(t *testing.T, l *lab)) {
	for _, low := range []string{"/usr/bin/runc", "/usr/bin/crun"} {
		t.Run(low, func(t *testing.T) {
			l := newLab(t)
			l.settings.LowLevel = low
			if low == "/usr/bin/crun" && hybrid() {
				t.Skip("crun refuses every container in the hybrid cgroup layout: test/stage hides it")
			}
			if _, err := l.low().Check(t.Context()); err != nil {
				t.Skipf("%v (%s)", err, sdk.Advice(err))
			}
			busybox, err := os.ReadFile("/bin/busybox")
			if err != nil {
				t.Skip("needs a static busybox: ", err)
			}
			for _, dir := range []string{"bin", "dev", "proc"} {
				must(t, os.Mkdir(l.path("rootfs/"+dir), 0o755))
			}
			must(t, os.WriteFile(l.path("rootfs/bin/busybox"), busybox, 0o755))
			l.container()
			l.c.ID = fmt.Sprintf("berth-nvidia-%d-%s", os.Getpid(), strings.ReplaceAll(l.dir[1:], "/", "-"))
			t.Cleanup(func() {
				// The test's own context is done by now.
				ctx, cancel := await.Lasting(t)
				defer cancel()
				must(t, l.Delete(ctx, l.c, true))
			})
			test(t, l)
		})
	}
}

func hybrid() bool {
	var fs unix.Statfs_t
	return unix.Statfs("/sys/fs/cgroup/unified", &fs) == nil && fs.Type == unix.CGROUP2_SUPER_MAGIC
}

// container makes the lab's bundle one that runs.
func (l *lab) container() {
	l.spec.Mounts = []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc"},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "nodev"}},
	}
	l.spec.Linux.Namespaces = []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.PIDNamespace}}
	if uid := os.Geteuid(); uid != 0 {
		l.spec.Linux.Namespaces = append(l.spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		l.spec.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: uint32(uid), Size: 1}}
		l.spec.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Getegid()), Size: 1}}
	}
}

// script is the program of the lab's container.
func (l *lab) script(text string) {
	l.spec.Process.Args = []string{"/bin/busybox", "sh", "-c", text}
}

// become executes a planned command as the host would, and returns its status and what it wrote.
func become(t *testing.T, plan *sdk.Command, err error) (int, string) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v (%s)", err, sdk.Advice(err))
	}
	var out bytes.Buffer
	cmd := &exec.Cmd{Path: plan.Path, Args: plan.Args, Env: plan.Env, Dir: plan.Dir, Stdout: &out, Stderr: &out}
	_ = cmd.Run() // the status is in ProcessState
	return cmd.ProcessState.ExitCode(), out.String()
}

// The variable, the device, the mount and the hook arrive, and the status is the program's.
func TestLiveDevicesArrive(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		l.gpus(t, "/bin/busybox")
		l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=0")
		l.script(`cat=/bin/busybox; echo "$CDI $GPU_0 $GPU_1"; $cat cat /dev/shm/library; $cat ls -d /dev/full /dev/zero; exit 42`)
		l.write(t)
		plan, err := l.Run(t.Context(), l.c)
		status, out := become(t, plan, err)
		if want := "yes yes \na driver's library\n/dev/full\n/dev/zero\n"; status != 42 || !strings.HasPrefix(out, want) {
			t.Errorf("status %d: %q instead of %q", status, out, want)
		}
		if _, err := os.Stat(l.path("mark")); err != nil {
			t.Error("the hook did not run: ", err)
		}
	})
}

// A device that no container has by itself arrives as the node's own.
func TestLiveDeviceIsTheNodes(t *testing.T) {
	var node unix.Stat_t
	if err := unix.Stat("/dev/fuse", &node); err != nil {
		t.Skip("needs a device that containers do not have by themselves: ", err)
	}
	live(t, func(t *testing.T, l *lab) {
		must(t, os.WriteFile(l.path("cdi/nvidia.json"), []byte(
			`{"cdiVersion":"0.6.0","kind":"nvidia.com/gpu","devices":[{"name":"0","containerEdits":{"deviceNodes":[{"path":"/dev/fuse"}]}}]}`), 0o644))
		l.script("/bin/busybox stat -c '%t:%T' /dev/fuse")
		l.write(t)
		plan, err := l.Run(t.Context(), l.c)
		if status, out := become(t, plan, err); status == 0 {
			t.Errorf("without asking: %q", out)
		}
		must(t, l.Delete(t.Context(), l.c, true))

		l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=all")
		l.c.Step = &sdk.Step{Env: []string{"SLURM_STEP_GPUS=0"}}
		l.write(t)
		plan, err = l.Run(t.Context(), l.c)
		want := fmt.Sprintf("%x:%x\n", unix.Major(node.Rdev), unix.Minor(node.Rdev))
		if status, out := become(t, plan, err); status != 0 || !strings.HasPrefix(out, want) {
			t.Errorf("status %d: %q instead of %q", status, out, want)
		}
	})
}

// Create edits too, and the rest of the lifecycle is the low-level runtime's.
func TestLiveCreate(t *testing.T) {
	live(t, func(t *testing.T, l *lab) {
		l.gpus(t, "/bin/true")
		l.spec.Annotations = map[string]string{"cdi.k8s.io/x": "nvidia.com/gpu=1"}
		l.script(`test "$GPU_1" = yes && /bin/busybox touch /dev/shm/done; exec /bin/busybox sleep 600`)
		l.write(t)
		plan, err := l.Create(t.Context(), l.c)
		if err != nil {
			t.Fatal(err)
		}
		cmd := &exec.Cmd{Path: plan.Path, Args: plan.Args, Env: plan.Env}
		if err := cmd.Run(); err != nil {
			t.Fatal(err)
		}
		must(t, l.Start(t.Context(), l.c))
		state, err := l.State(t.Context(), l.c)
		if err != nil || state.Status != specs.StateRunning {
			t.Fatalf("%+v, %v", state, err)
		}
		mark := fmt.Sprintf("/proc/%d/root/dev/shm/done", state.Pid)
		await.True(t, func() string { return "the program gets the variable" }, func() bool {
			_, err := os.Stat(mark)
			return err == nil
		})
	})
}
