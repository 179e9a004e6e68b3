package ociruntime

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// lab makes real containers with one runtime.
type lab struct {
	*Driver
	rootfs string
}

// live runs test with each runtime that works here.
func live(t *testing.T, test func(t *testing.T, l lab)) {
	for _, r := range []Runtime{Runc(), Crun()} {
		t.Run(r.name, func(t *testing.T) {
			l := lab{Driver: New(r), rootfs: filepath.Join(t.TempDir(), "rootfs")}
			if err := l.usable(); err != nil {
				t.Skipf("%v (%s)", err, sdk.Advice(err))
			}
			for _, dir := range []string{"proc", "dev", "sys"} {
				if err := os.MkdirAll(filepath.Join(l.rootfs, dir), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			if err := copyProgram(program(t, "payload"), filepath.Join(l.rootfs, "payload")); err != nil {
				t.Fatal(err)
			}
			test(t, l)
		})
	}
}

// container returns a container, not yet made, whose program is the payload with these arguments.
// It is deleted with the test. change may be nil.
func (l lab) container(t *testing.T, change func(*specs.Spec), args ...string) *sdk.Container {
	t.Helper()
	spec := l.spec(args)
	if change != nil {
		change(spec)
	}
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	c := &sdk.Container{Bundle: t.TempDir(), Root: t.TempDir()}
	c.ID = fmt.Sprintf("berth-test-%d-%s", os.Getpid(), strings.ReplaceAll(c.Root[1:], "/", "-")) // root's cgroups are named for it
	if err := os.WriteFile(filepath.Join(c.Bundle, sdk.ConfigFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		// The test's own context is done by now. A runtime that hangs is ended with the test program.
		if err := l.Delete(context.Background(), c, true); err != nil {
			t.Errorf("cleaning up: %v", err)
		}
		for _, dir := range cgroups(c.ID) {
			// A runtime that cannot read its state does not know of them.
			if !strings.HasSuffix(t.Name(), "/damaged") {
				t.Errorf("left: %s", dir)
			}
			eventually(t, dir+" can be removed", func() bool { return os.Remove(dir) == nil })
		}
	})
	return c
}

// cgroups returns the cgroups that are named for a container.
func cgroups(id string) (dirs []string) {
	_ = filepath.WalkDir("/sys/fs/cgroup", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil: // others make and remove cgroups meanwhile
			return nil
		case d.Name() == id:
			dirs = append(dirs, path)
			return fs.SkipDir
		case path == "/sys/fs/cgroup/unified" && fileSystem(path) != unix.CGROUP2_SUPER_MAGIC:
			return fs.SkipDir // see testMain
		}
		return nil
	})
	return dirs
}

func (l lab) spec(args []string) *specs.Spec {
	spec := &specs.Spec{
		Version: "1.0.2",
		Process: &specs.Process{Args: append([]string{"/payload"}, args...), Cwd: "/", Env: []string{"A=b c"}},
		Root:    &specs.Root{Path: l.rootfs},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755"}},
		},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.PIDNamespace}}},
	}
	if uid := os.Geteuid(); uid != 0 {
		spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		spec.Linux.UIDMappings = []specs.LinuxIDMapping{{HostID: uint32(uid), Size: 1}}
		spec.Linux.GIDMappings = []specs.LinuxIDMapping{{HostID: uint32(os.Getegid()), Size: 1}}
	}
	return spec
}

// sharedPids takes the container's pid namespace away.
func sharedPids(spec *specs.Spec) {
	spec.Linux.Namespaces = append(spec.Linux.Namespaces[:1], spec.Linux.Namespaces[2:]...)
	spec.Mounts[0] = specs.Mount{Destination: "/proc", Type: "bind", Source: "/proc", Options: []string{"rbind"}}
}

// execute returns the command that the host would become.
func execute(plan *sdk.Command) *exec.Cmd {
	return &exec.Cmd{Path: plan.Path, Args: plan.Args, Env: plan.Env, Dir: plan.Dir}
}

// become plans and executes run or create, and returns the status and what it wrote.
func (l lab) become(t *testing.T, verb string, c *sdk.Container) (status int, out string) {
	t.Helper()
	plan, err := l.begin(verb, c)
	if err != nil {
		t.Fatal(err)
	}
	return finish(t, execute(plan))
}

// finish runs cmd. Its output goes to a file: a pipe would be held by the container.
func finish(t *testing.T, cmd *exec.Cmd) (status int, out string) {
	t.Helper()
	file, err := os.Create(filepath.Join(t.TempDir(), "output"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	cmd.Stdout, cmd.Stderr = file, file
	err = cmd.Run()
	if cmd.ProcessState == nil {
		t.Fatal(err)
	}
	text, err := os.ReadFile(file.Name())
	if err != nil {
		t.Fatal(err)
	}
	return cmd.ProcessState.ExitCode(), string(text)
}

// running creates and starts a container, waits until all its programs have said that they are
// ready, and returns its pid and the file that its output goes to.
func (l lab) running(t *testing.T, c *sdk.Container, programs int) (pid int, output string) {
	t.Helper()
	output = filepath.Join(t.TempDir(), "output")
	file, err := os.Create(output)
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	plan, err := l.Create(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	cmd := execute(plan)
	cmd.Stdout, cmd.Stderr = file, file
	if err := cmd.Run(); err != nil {
		text, _ := os.ReadFile(output)
		t.Fatalf("%v: %s", err, text)
	}
	if err := l.Start(t.Context(), c); err != nil {
		t.Fatal(err)
	}
	eventually(t, "the programs are ready", func() bool { return lines(output, "ready") == programs })
	state, err := l.State(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	return state.Pid, output
}

// lines counts the lines of a file that are this one.
func lines(file, line string) int {
	text, _ := os.ReadFile(file)
	return bytes.Count(text, []byte(line+"\n"))
}

// reap waits for a container's process, which is a child of ours once its runtime has ended.
func reap(t *testing.T, pid int) {
	t.Helper()
	if _, err := syscall.Wait4(pid, nil, 0, nil); err != nil {
		t.Errorf("reaping %d: %v", pid, err)
	}
}

// left returns what is left below the container's root.
func left(t *testing.T, c *sdk.Container) string {
	t.Helper()
	entries, err := os.ReadDir(c.Root)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return strings.Join(names, " ")
}
