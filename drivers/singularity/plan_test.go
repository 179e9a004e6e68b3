package main

import (
	"encoding/json"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

var update = flag.Bool("update", false, "write the golden files")

// lab is a driver and one container of its, whose image is a directory.
type lab struct {
	*native
	c    *sdk.Container
	spec *specs.Spec
	dir  string // what is named TEST in golden files
}

// newLab has a program for runtime that does nothing but call itself by name and version.
func newLab(t *testing.T, calls string) *lab {
	t.Helper()
	l := &lab{native: &native{}, dir: t.TempDir()}
	l.Settings()
	for _, dir := range []string{"image/dev", "image/proc", "image/sys", "image/tmp", "image/data", "image/etc", "bundle", "root"} {
		must(t, os.MkdirAll(l.path(dir), 0o755))
	}
	must(t, os.WriteFile(l.path("image/file"), nil, 0o644))
	if calls != "" {
		l.settings.Runtime = l.path("runtime")
		must(t, os.WriteFile(l.settings.Runtime, []byte("#!/bin/sh\necho '"+calls+"'\n"), 0o755))
	}
	l.c = &sdk.Container{ID: "c1", Bundle: l.path("bundle"), Root: l.path("root"), Umask: 0o22}
	l.spec = &specs.Spec{
		Version: "1.0.2",
		Process: &specs.Process{Args: []string{"/dev/.berth-init", "--", "sh", "-c", "echo $HOME"}, Cwd: "/", Env: []string{"PATH=/bin", "A=b c"}},
		Root:    &specs.Root{Path: l.path("image"), Readonly: true},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "bind", Source: "/proc", Options: []string{"rbind"}},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755"}},
			{Destination: "/dev/.berth-init", Type: "bind", Source: l.path("image/file"), Options: []string{"bind", "ro", "nosuid", "nodev"}},
		},
		Linux: &specs.Linux{
			Namespaces:  []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.UserNamespace}},
			UIDMappings: []specs.LinuxIDMapping{{HostID: uint32(os.Geteuid()), Size: 1}},
			GIDMappings: []specs.LinuxIDMapping{{HostID: uint32(os.Getegid()), Size: 1}},
		},
	}
	return l
}

// addSubordinateIDs gives an ordinary user those that the runtimes need to make him root.
func (l *lab) addSubordinateIDs() {
	if os.Geteuid() != 0 {
		more := specs.LinuxIDMapping{ContainerID: 1, HostID: 1000000, Size: 65536}
		l.spec.Linux.UIDMappings = append(l.spec.Linux.UIDMappings, more)
		l.spec.Linux.GIDMappings = append(l.spec.Linux.GIDMappings, more)
	}
}

// path is a path below the lab's directory.
func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// plan writes the bundle and asks the driver.
func (l *lab) plan(t *testing.T) (*sdk.Command, error) {
	t.Helper()
	writeConfig(t, l.c.Bundle, l.spec)
	return l.Run(t.Context(), l.c)
}

func writeConfig(t *testing.T, bundle string, spec *specs.Spec) {
	t.Helper()
	text, err := json.Marshal(spec)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(bundle, sdk.ConfigFile), text, 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func bindMount(source, target string, options ...string) specs.Mount {
	return specs.Mount{Destination: target, Type: "none", Source: source, Options: append(options, "bind")}
}

// asCaller makes the program's user the caller by its own number, whoever that is.
func asCaller(l *lab) {
	uid, gid := uint32(os.Geteuid()), uint32(os.Getegid())
	l.spec.Process.User = specs.User{UID: uid, GID: gid}
	l.spec.Linux.UIDMappings, l.spec.Linux.GIDMappings = l.spec.Linux.UIDMappings[:1], l.spec.Linux.GIDMappings[:1]
	l.spec.Linux.UIDMappings[0].ContainerID, l.spec.Linux.GIDMappings[0].ContainerID = uid, gid
}

// plans are bundles whose plans are recorded.
func plans() map[string]func(l *lab) {
	mounts := func(more ...specs.Mount) func(l *lab) {
		return func(l *lab) { l.spec.Mounts = append(l.spec.Mounts, more...) }
	}
	return map[string]func(l *lab){
		"plain":    func(*lab) {},
		"writable": func(l *lab) { l.spec.Root.Readonly = false },
		"binds":    mounts(bindMount("/etc", "/data", "ro"), bindMount("/etc/passwd", "/new/file")),
		"missing in a writable image": func(l *lab) {
			l.spec.Root.Readonly = false
			mounts(bindMount("/etc/passwd", "/new/file"))(l)
		},
		"noexec": mounts(bindMount("/etc", "/data", "noexec")),
		"colon": func(l *lab) {
			_ = os.Mkdir(l.path("a:b"), 0o755)
			mounts(bindMount(l.path("a:b"), "/data"))(l)
		},
		"propagation":        mounts(bindMount("/etc", "/data", "rshared")),
		"over another mount": mounts(bindMount("/etc", "/data"), bindMount("/etc/passwd", "/data/nowhere")),
		"elsewhere in dev":   mounts(bindMount("/etc", "/dev/.slurm", "ro"), bindMount("/etc/passwd", "/dev/.other/deep/passwd")),
		"over what dev has":  mounts(bindMount("/etc/passwd", "/dev/null")),
		"shared memory":      mounts(bindMount("/dev/shm", "/dev/shm")),
		"device": func(l *lab) {
			l.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/full", Type: "c", Major: 1, Minor: 7}}
		},
		"another device": func(l *lab) {
			l.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/full", Type: "c", Major: 1, Minor: 8}}
		},
		"own devpts": mounts(specs.Mount{Destination: "/dev/pts", Type: "devpts"}),
		"own sysfs":  mounts(specs.Mount{Destination: "/sys", Type: "sysfs"}),
		"shared sysfs": func(l *lab) {
			l.settings.Isolation = share
			mounts(specs.Mount{Destination: "/sys", Type: "sysfs", Options: []string{"ro"}})(l)
		},
		"namespaces": func(l *lab) {
			for _, kind := range []specs.LinuxNamespaceType{specs.PIDNamespace, specs.IPCNamespace, specs.UTSNamespace, specs.NetworkNamespace} {
				l.spec.Linux.Namespaces = append(l.spec.Linux.Namespaces, specs.LinuxNamespace{Type: kind})
			}
			l.spec.Hostname = "node"
		},
		"no new privileges":     func(l *lab) { l.spec.Process.NoNewPrivileges = true },
		"host name of the node": func(l *lab) { l.spec.Hostname = "node" },
		"limits": func(l *lab) {
			l.spec.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 5, Hard: 1<<64 - 1}, {Type: "RLIMIT_CORE"}}
		},
		"variables": func(l *lab) {
			l.spec.Process.Env = []string{
				"LD_PRELOAD=/evil.so", "TMPDIR=/t", "USER=ann", "HOME=/home/ann", "SINGULARITYENV_X=$Y", "APPTAINER_BIND=/etc", "with.dot=1", `U=\u000A`, "X=$Y 'z'\nw",
			}
		},
		"status file": func(l *lab) {
			l.spec.Process.Args = []string{"/dev/.berth-init", "--init", "--status", "/dev/.berth-status", "--", "/dev/.berth-init"}
			mounts(bindMount(l.path("image/file"), "/dev/.berth-status", "nosuid", "nodev", "noexec"))(l)
		},
		"images variables":      func(l *lab) { _ = os.MkdirAll(l.path("image/.singularity.d/env"), 0o755) },
		"another user":          func(l *lab) { l.spec.Process.User.UID, l.spec.Linux.UIDMappings[0].Size = 5, 6 },
		"no berth-init":         func(l *lab) { l.spec.Process.Args = []string{"sh"} },
		"no image":              func(l *lab) { l.spec.Root.Path = l.path("nowhere") },
		"image of another kind": func(l *lab) { l.spec.Root.Path = l.path("image/file") },
		"detached":              func(l *lab) { l.c.IO.Detach = true },
		"hook": func(l *lab) {
			l.spec.Hooks = &specs.Hooks{Poststop: []specs.Hook{{Path: "/i", Args: []string{"/i", "--rm", l.c.Bundle}}, {Path: "/other"}}}
		},
		"hook of berth": func(l *lab) {
			l.spec.Hooks = &specs.Hooks{Poststop: []specs.Hook{{Path: "/i", Args: []string{"/i", "--rm", l.c.Bundle}}}}
		},
	}
}

func TestPlans(t *testing.T) {
	for name, change := range plans() {
		t.Run(name, func(t *testing.T) {
			l := newLab(t, recent)
			asCaller(l)
			change(l)
			golden(t, name, l.result(l.plan(t)))
		})
	}
}

// The three lineages, and releases between which they differ: the site's own bind paths can be left out from Apptainer
// 1.2 and SingularityCE 3.11, and from SingularityCE 4.0 a site can make OCI mode of exec, which would end with 255.
func TestLineages(t *testing.T) {
	for _, calls := range []string{
		"apptainer version 1.1.0", "apptainer version 1.2.0", "singularity-ce version 3.9.1", "singularity-ce version 3.10.5", "singularity-ce version 3.11.0",
		"singularity-ce version 4.0.0", "singularity-ce version 4.3.4-jammy", "singularity version 3.8.7",
		"apptainer version 1.0.3", "singularity version 3.7.0", "runc version 1.1.5",
	} {
		l := newLab(t, calls)
		asCaller(l)
		name, version, _ := strings.Cut(calls, " version ")
		golden(t, name+" "+version, l.result(l.plan(t)))
	}
}

// Root in the container, which is the caller outside: with and without subordinate IDs.
func TestRootInTheContainer(t *testing.T) {
	if os.Geteuid() == 0 {
		t.Skip("root is root without more ado")
	}
	for _, test := range []struct {
		calls string
		more  int
		want  string
	}{
		{"apptainer version 1.4.5", 0, "makes root only of a caller with lines in /etc/subuid"},
		{"apptainer version 1.4.5", 1, `"--fakeroot" "--ignore-fakeroot-command" "--no-eval"`},
		{"singularity-ce version 4.1.0", 0, "makes root only of a caller with lines in /etc/subuid"},
		{"singularity-ce version 4.1.0", 1, `"--fakeroot" "--no-oci" "--no-eval"`},
	} {
		l := newLab(t, test.calls)
		for range test.more {
			l.spec.Linux.UIDMappings = append(l.spec.Linux.UIDMappings, specs.LinuxIDMapping{ContainerID: 1, HostID: 1000000, Size: 65536})
		}
		if got := l.result(l.plan(t)); !strings.Contains(got, test.want) {
			t.Errorf("%s, %d more: %s", test.calls, test.more, got)
		}
	}
}

func (l *lab) result(cmd *sdk.Command, err error) string {
	text := ""
	if err != nil {
		text = fmt.Sprintf("%v: %v\n%s\n", sdk.Kind(err), err, sdk.Advice(err))
	} else {
		text = fmt.Sprintf("path %s\ndir %q\nargs %q\nenv %q\n", cmd.Path, cmd.Dir, cmd.Args, cmd.Env)
	}
	unset := ""
	for _, name := range added() {
		unset += fmt.Sprintf(" %q %q", "--unset", name)
	}
	return strings.NewReplacer(unset, " (what the runtimes add unset)", l.dir, "TEST", fmt.Sprintf("caller, %d ", os.Geteuid()), "caller, UID ").Replace(text)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata/golden", strings.NewReplacer(" ", "-", "/", "").Replace(name)+".txt")
	if *update {
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
