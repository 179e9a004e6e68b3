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
	l.settings.Runtime = program("enroot")
	for _, dir := range []string{"image/data", "empty", "bundle", "root", "step"} {
		must(t, os.MkdirAll(l.path(dir), 0o755))
	}
	must(t, os.WriteFile(l.path("image/file"), nil, 0o644))
	l.c = &sdk.Container{
		ID: "c1", Bundle: l.path("bundle"), Root: l.path("root"), Umask: 0o22,
		Step: &sdk.Step{Job: "7", Step: "0", Tasks: 1, Node: "n1", Dir: l.path("step"), Env: []string{"HOME=" + l.dir}},
	}
	l.spec = &specs.Spec{
		Version: "1.0.2",
		Process: &specs.Process{Args: []string{"/dev/.berth-init", "--", "sh", "-c", "echo $HOME"}, Cwd: "/", Env: []string{"PATH=/bin", "A=b c"}},
		Root:    &specs.Root{Path: l.path("image"), Readonly: true},
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

// write writes the bundle.
func (l *lab) write(t *testing.T) {
	t.Helper()
	text, err := json.Marshal(l.spec)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(l.c.Bundle, sdk.ConfigFile), text, 0o600))
	l.c.Annotations = l.spec.Annotations
}

// plan writes the bundle and asks the driver.
func (l *lab) plan(t *testing.T) (*sdk.Command, error) {
	t.Helper()
	l.write(t)
	return l.Run(t.Context(), l.c)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
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
	named := func(name string) func(l *lab) {
		return func(l *lab) {
			l.spec.Root.Path, l.spec.Annotations = l.path("empty"), map[string]string{imageAnnotation: name}
		}
	}
	return map[string]func(l *lab){
		"plain":          func(*lab) {},
		"writable":       func(l *lab) { l.spec.Root.Readonly = false },
		"directory":      mounts(bind("/etc", "/new/dir", "ro", "nosuid")),
		"file":           mounts(bind("/etc/passwd", "/new/file")),
		"odd source":     func(l *lab) { _ = os.Mkdir(l.path("a b$"), 0o755); mounts(bind(l.path("a b$"), "/data"))(l) },
		"odd target":     mounts(bind("/etc", "/a b")),
		"no source":      mounts(bind("/no/such", "/data")),
		"root target":    mounts(bind("/etc", "/")),
		"propagation":    mounts(bind("/etc", "/data", "rshared")),
		"unknown option": mounts(bind("/etc", "/data", "idmap")),
		"tmpfs":          mounts(specs.Mount{Destination: "/tmp", Type: "tmpfs", Options: []string{"nodev", "size=1m", "mode=1777"}}),
		"overlay":        mounts(specs.Mount{Destination: "/data", Type: "overlay"}),
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
		"entry point": func(l *lab) {
			_ = os.Mkdir(l.path("image/etc"), 0o755)
			_ = os.WriteFile(l.path("image/etc/rc"), []byte("exec false\n"), 0o644)
		},
		"hooks": func(l *lab) {
			l.settings.Hooks = []string{"/etc/passwd", "/etc/group"}
			l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=0", "MELLANOX_VISIBLE_DEVICES=all", "SECRET=x")
		},
		"missing hook":          func(l *lab) { l.settings.Hooks = []string{"/no/such.sh"} },
		"another user":          func(l *lab) { l.spec.Process.User.UID, l.spec.Linux.UIDMappings[0].Size = 5, 6 },
		"no berth-init":         func(l *lab) { l.spec.Process.Args = []string{"sh"} },
		"no tmpfs on dev":       func(l *lab) { l.spec.Mounts = l.spec.Mounts[:1] },
		"no image":              func(l *lab) { l.spec.Root.Path = l.path("nowhere") },
		"image of another kind": func(l *lab) { l.spec.Root.Path = l.path("image/file") },
		"truncated image": func(l *lab) {
			_ = os.WriteFile(l.path("image/file"), append([]byte("hsqs"), make([]byte, 36)...), 0o600)
			l.spec.Root.Path = l.path("image/file")
		},
		"uri, not prepared":   named("docker://registry#name:1"),
		"uri of another kind": named("oras://x"),
		"two images": func(l *lab) {
			named("docker://x")(l)
			l.spec.Root.Path = l.path("image")
		},
		"container": func(l *lab) {
			_ = os.MkdirAll(l.path(".local/share/enroot/mine"), 0o755)
			named("mine")(l)
		},
		"container elsewhere": func(l *lab) {
			_ = os.MkdirAll(l.path("data/mine"), 0o755)
			l.c.Step.Env = append(l.c.Step.Env, "ENROOT_DATA_PATH="+l.path("data"))
			named("mine")(l)
		},
		"no container":     named("mine"),
		"no name":          named("../x"),
		"detached":         func(l *lab) { l.c.IO.Detach = true },
		"more descriptors": func(l *lab) { l.c.Files = 2 },
		"hook of berth": func(l *lab) {
			l.spec.Hooks = &specs.Hooks{Poststop: []specs.Hook{{Path: "/i", Args: []string{"/i", "--rm", l.c.Bundle}}}}
		},
	}
}

func TestPlans(t *testing.T) {
	for name, change := range plans() {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			change(l)
			cmd, err := l.plan(t)
			var got strings.Builder
			if err != nil {
				fmt.Fprintf(&got, "%v: %v\n%s\n", sdk.Kind(err), err, sdk.Advice(err))
			} else {
				fmt.Fprintf(&got, "path %s\ndir %q\nargs %q\nenv\n\t%s\n", cmd.Path, cmd.Dir, cmd.Args, strings.Join(cmd.Env, "\n\t"))
				l.describe(t, &got)
			}
			golden(t, name, l.neutral(got.String()))
		})
	}
}

// describe writes down what enroot and berth-init will read.
func (l *lab) describe(t *testing.T, got *strings.Builder) {
	t.Helper()
	image, err := os.Readlink(filepath.Join(l.c.Bundle, "enroot/data/image"))
	must(t, err)
	fmt.Fprintf(got, "image %s\n", image)
	for _, name := range []string{"config/mounts.d/berth.fstab", "config/environ.d/berth.env", "dev/.berth-environment"} {
		text, err := os.ReadFile(filepath.Join(l.c.Bundle, "enroot", name))
		must(t, err)
		fmt.Fprintf(got, "%s\n\t%s\n", name, strings.NewReplacer("\n", "\n\t", "\x00", "\\0").Replace(strings.TrimSuffix(string(text), "\n")))
	}
	hooks, _ := filepath.Glob(filepath.Join(l.c.Bundle, "enroot/config/hooks.d/*"))
	for _, hook := range hooks {
		to, err := os.Readlink(hook)
		must(t, err)
		fmt.Fprintf(got, "%s -> %s\n", hook, to)
	}
}

// neutral takes out what differs between users and runs.
func (l *lab) neutral(text string) string {
	return strings.NewReplacer(l.dir, "TEST", l.settings.Runtime, "/usr/bin/enroot", filepath.Dir(l.settings.Runtime), "/usr/bin", `"--root" `, "",
		fmt.Sprintf("caller, %d ", os.Geteuid()), "caller, UID ", fmt.Sprintf("not as %d", os.Geteuid()+5), "not as UID+5").Replace(text)
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	file := filepath.Join("testdata/golden", strings.NewReplacer(" ", "-", ",", "", "/", "").Replace(name)+".txt")
	if *update {
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}
