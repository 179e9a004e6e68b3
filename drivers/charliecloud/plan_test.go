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

// lab is a driver and one container of its, whose image is an empty directory.
type lab struct {
	*driver
	c    *sdk.Container
	spec *specs.Spec
	dir  string // what is named TEST in golden files
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{driver: &driver{}, dir: t.TempDir()}
	l.Settings()
	for _, dir := range []string{"image/dev", "image/proc", "image/sys", "image/tmp", "image/data", "bundle", "root"} {
		must(t, os.MkdirAll(filepath.Join(l.dir, dir), 0o755))
	}
	must(t, os.WriteFile(filepath.Join(l.dir, "image/file"), nil, 0o644))
	l.c = &sdk.Container{ID: "c1", Bundle: filepath.Join(l.dir, "bundle"), Root: filepath.Join(l.dir, "root"), Umask: 0o22}
	l.spec = &specs.Spec{
		Version: "1.0.2",
		Process: &specs.Process{Args: []string{"/dev/.berth-init", "--", "sh", "-c", "echo $HOME"}, Cwd: "/", Env: []string{"PATH=/bin", "A=b c"}},
		Root:    &specs.Root{Path: filepath.Join(l.dir, "image"), Readonly: true},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "bind", Source: "/proc", Options: []string{"rbind"}},
			{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "mode=755"}},
		},
		Linux: &specs.Linux{
			Namespaces:  []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.UserNamespace}},
			UIDMappings: []specs.LinuxIDMapping{{HostID: uint32(os.Geteuid()), Size: 1}},
			GIDMappings: []specs.LinuxIDMapping{{HostID: uint32(os.Getegid()), Size: 1}},
		},
	}
	return l
}

// path is a path below the lab's directory.
func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

// plan writes the bundle and asks the driver.
func (l *lab) plan(t *testing.T) (*sdk.Command, error) {
	t.Helper()
	text, err := json.Marshal(l.spec)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(l.c.Bundle, sdk.ConfigFile), text, 0o600))
	return l.Run(t.Context(), l.c)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// needRuntime skips a test where there is no ch-run.
func needRuntime(t *testing.T) {
	t.Helper()
	d := &driver{}
	d.Settings()
	if err := d.usable(); err != nil {
		t.Skipf("%v (%s)", err, sdk.Advice(err))
	}
}

// plans are bundles whose plans are recorded.
func plans() map[string]func(l *lab) {
	mounts := func(more ...specs.Mount) func(l *lab) {
		return func(l *lab) { l.spec.Mounts = append(l.spec.Mounts, more...) }
	}
	bind := func(source, target string, options ...string) specs.Mount {
		return specs.Mount{Destination: target, Type: "none", Source: source, Options: append(options, "bind")}
	}
	return map[string]func(l *lab){
		"plain":     func(*lab) {},
		"writable":  func(l *lab) { l.spec.Root.Readonly = false },
		"directory": mounts(bind("/etc", "/data")),
		"missing in a writable image": func(l *lab) {
			l.spec.Root.Readonly = false
			mounts(bind("/etc", "/new/dir"))(l)
		},
		"missing file in a writable image": func(l *lab) {
			l.spec.Root.Readonly = false
			mounts(bind("/etc/passwd", "/new/file"))(l)
		},
		"missing in a read-only image": mounts(bind("/etc", "/new/dir")),
		"missing file":                 mounts(bind("/etc/passwd", "/new/file")),
		"file on a directory":          mounts(bind("/etc/passwd", "/data")),
		"link out of the image": func(l *lab) {
			_ = os.Symlink("/etc", l.path("image/link"))
			mounts(bind("/etc", "/link/x"))(l)
		},
		"absolute link": func(l *lab) {
			_ = os.Symlink("/../data", l.path("image/link"))
			mounts(bind("/etc", "/link"), bind("/etc/passwd", "/link/passwd"))(l)
		},
		"batch script": mounts(bind("/etc/passwd", "/tmp/slurm/startup"), bind("/etc/group", "/tmp/slurm/stdin")),
		"read-only":    mounts(bind("/etc", "/data", "ro")),
		"colon": func(l *lab) {
			_ = os.Mkdir(l.path("a:b"), 0o755)
			mounts(bind(l.path("a:b"), "/data"))(l)
		},
		"propagation":        mounts(bind("/etc", "/data", "rshared")),
		"over another mount": mounts(bind("/etc", "/data"), bind("/etc/passwd", "/data/group")),
		"tmpfs":              mounts(specs.Mount{Destination: "/tmp", Type: "tmpfs"}, specs.Mount{Destination: "/data", Type: "tmpfs"}),
		"device": func(l *lab) {
			l.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/full", Type: "c", Major: 1, Minor: 7}}
		},
		"another device": func(l *lab) {
			l.spec.Linux.Devices = []specs.LinuxDevice{{Path: "/dev/full", Type: "c", Major: 1, Minor: 8}}
		},
		"own devpts": mounts(specs.Mount{Destination: "/dev/pts", Type: "devpts"}),
		"shared devpts": func(l *lab) {
			l.settings.Isolation = share
			mounts(specs.Mount{Destination: "/dev/pts", Type: "devpts"}, specs.Mount{Destination: "/sys", Type: "sysfs", Options: []string{"ro"}})(l)
		},
		"limits": func(l *lab) {
			l.spec.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_NOFILE", Soft: 5, Hard: 1<<64 - 1}, {Type: "RLIMIT_CORE"}}
		},
		"unknown limit": func(l *lab) { l.spec.Process.Rlimits = []specs.POSIXRlimit{{Type: "RLIMIT_X"}} },
		"variables": func(l *lab) {
			l.spec.Process.Env = []string{"LD_PRELOAD=/evil.so", "TMPDIR=/t", "USER=ann", "HOME=/home/ann", "CH_RUNNING=no", "GLIBC_TUNABLES=x", "X=$Y 'z'\nw"}
		},
		"user":                  func(l *lab) { l.spec.Process.User.UID, l.spec.Linux.UIDMappings[0].ContainerID = 1000, 1000 },
		"another user":          func(l *lab) { l.spec.Process.User.UID, l.spec.Linux.UIDMappings[0].Size = 5, 6 },
		"no berth-init":         func(l *lab) { l.spec.Process.Args = []string{"sh"} },
		"no /sys in image":      func(l *lab) { _ = os.Remove(l.path("image/sys")) },
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
	needRuntime(t)
	for name, change := range plans() {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			change(l)
			cmd, err := l.plan(t)
			var got strings.Builder
			if err != nil {
				fmt.Fprintf(&got, "%v: %v\n%s\n", sdk.Kind(err), err, sdk.Advice(err))
			} else {
				fmt.Fprintf(&got, "path %s\ndir %q\nargs %q\nenv %q\n", cmd.Path, cmd.Dir, cmd.Args, cmd.Env)
			}
			golden(t, name, l.neutral(got.String()))
		})
	}
}

// neutral takes out what differs between users and runs.
func (l *lab) neutral(text string) string {
	return strings.NewReplacer(l.dir, "TEST", l.settings.Runtime, "/usr/bin/ch-run", fmt.Sprintf("caller, %d ", os.Geteuid()), "caller, UID ",
		fmt.Sprintf("not as %d", os.Geteuid()+5), "not as UID+5").Replace(text)
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
