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

// installedForTests is where test/setup puts the real program.
const installedForTests = "/var/cache/berth-test/nvidia/nvidia-container-runtime"

// lab is a driver with the real nvidia-container-runtime, a CDI specification of two GPUs that are
// none, and one container.
type lab struct {
	*driver
	dir  string // what is named TEST in golden files
	c    *sdk.Container
	spec *specs.Spec
}

func newLab(t *testing.T) *lab {
	t.Helper()
	l := &lab{driver: &driver{}, dir: t.TempDir()}
	l.Settings()
	l.settings.Runtime, l.settings.Config, l.settings.Mode = installedForTests, l.path("config.toml"), "cdi"
	if err := l.present(); err != nil {
		t.Skipf("%v: test/setup installs it", err)
	}
	for _, dir := range []string{"bundle", "root", "cdi", "rootfs"} {
		must(t, os.Mkdir(l.path(dir), 0o755))
	}
	must(t, os.WriteFile(l.path("library"), []byte("a driver's library\n"), 0o644))
	l.configure(t, `[nvidia-container-runtime.modes.cdi]
default-kind = "nvidia.com/gpu"
annotation-prefixes = ["cdi.k8s.io/"]
spec-dirs = ["`+l.path("cdi")+`"]
`)
	l.c = &sdk.Container{ID: "c1", Bundle: l.path("bundle"), Root: l.path("root")}
	l.spec = &specs.Spec{
		Version: "1.0.2",
		Process: &specs.Process{Args: []string{"/payload"}, Cwd: "/", Env: []string{"PATH=/bin"}},
		Root:    &specs.Root{Path: l.path("rootfs")},
		Mounts:  []specs.Mount{{Destination: "/dev/shm", Type: "tmpfs", Source: "shm"}, {Destination: "/proc", Type: "proc", Source: "proc"}},
		Linux:   &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.UserNamespace}}},
	}
	return l
}

func (l *lab) path(name string) string { return filepath.Join(l.dir, name) }

func (l *lab) configure(t *testing.T, text string) {
	t.Helper()
	must(t, os.WriteFile(l.settings.Config, []byte(text), 0o644))
}

// gpus writes the CDI specification: a variable, a device, a mount and a hook each.
func (l *lab) gpus(t *testing.T, hook string) {
	t.Helper()
	device := func(name, node string) map[string]any {
		return map[string]any{"name": name, "containerEdits": map[string]any{
			"env": []string{"GPU_" + name + "=yes"}, "deviceNodes": []map[string]any{{"path": node}},
		}}
	}
	text, err := json.Marshal(map[string]any{
		"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu",
		"devices": []any{device("0", "/dev/full"), device("1", "/dev/zero")},
		"containerEdits": map[string]any{
			"env":    []string{"CDI=yes"},
			"mounts": []any{map[string]any{"hostPath": l.path("library"), "containerPath": "/dev/shm/library", "options": []string{"ro", "nosuid", "nodev", "bind"}}},
			"hooks":  []any{map[string]any{"hookName": "createContainer", "path": hook, "args": []string{"busybox", "sh", "-c", "/bin/busybox cat >/dev/null; /bin/busybox touch " + l.path("mark")}}},
		},
	})
	must(t, err)
	must(t, os.WriteFile(l.path("cdi/nvidia.json"), text, 0o644))
}

// write writes the bundle.
func (l *lab) write(t *testing.T) {
	t.Helper()
	text, err := json.Marshal(l.spec)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(l.c.Bundle, sdk.ConfigFile), text, 0o600))
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// What the real program makes of a bundle, and we of that, for root and for an ordinary user.
func TestBundles(t *testing.T) {
	for name, change := range map[string]func(l *lab){
		"nobody asks": func(l *lab) {},
		"by variable": func(l *lab) { l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=0") },
		"by its full name": func(l *lab) {
			l.settings.Mode = "auto"
			l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=nvidia.com/gpu=1")
		},
		"by annotation": func(l *lab) { l.spec.Annotations = map[string]string{"cdi.k8s.io/x": "nvidia.com/gpu=1"} },
		"of the job": func(l *lab) {
			l.spec.Process.Env = append(l.spec.Process.Env, "CUDA_VISIBLE_DEVICES=1")
			l.c.Step = &sdk.Step{Env: []string{"SLURM_STEP_GPUS=1"}}
		},
		"unknown device": func(l *lab) { l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=7") },
		"no specification": func(l *lab) {
			_ = os.Remove(l.path("cdi/nvidia.json"))
			l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=0")
		},
		"legacy": func(l *lab) {
			l.settings.Mode = "legacy"
			l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=0")
		},
		"csv": func(l *lab) {
			l.settings.Mode = "csv"
			l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=0")
		},
		"void": func(l *lab) { l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=void") },
	} {
		t.Run(name, func(t *testing.T) {
			l := newLab(t)
			l.gpus(t, "/bin/true")
			change(l)
			l.write(t)
			var got string
			if err := l.inject(t.Context(), l.c); err != nil {
				got = fmt.Sprintf("%v: %v\n%s\n", sdk.Kind(err), err, sdk.Advice(err))
			} else {
				document, err := readDocument(filepath.Join(l.c.Bundle, sdk.ConfigFile))
				must(t, err)
				text, err := json.MarshalIndent(document, "", " ")
				must(t, err)
				got = string(text) + "\n"
			}
			golden(t, name, strings.ReplaceAll(got, l.dir, "TEST"))
		})
	}
}

func golden(t *testing.T, name, got string) {
	t.Helper()
	who := map[bool]string{true: ".root.txt", false: ".user.txt"}[os.Geteuid() == 0]
	file := filepath.Join("testdata/golden", strings.ReplaceAll(name, " ", "-")+who)
	if *update {
		must(t, os.WriteFile(file, []byte(got), 0o644))
	}
	want, err := os.ReadFile(file)
	must(t, err)
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got):\n%s", file, diff)
	}
}

// What the specification's types do not know is kept, as are large numbers.
func TestUnknownKeysAreKept(t *testing.T) {
	l := newLab(t)
	l.gpus(t, "/bin/true")
	l.spec.Process.Env = append(l.spec.Process.Env, "NVIDIA_VISIBLE_DEVICES=0")
	text, err := json.Marshal(l.spec)
	must(t, err)
	config := strings.Replace(string(text), `{"ociVersion"`, `{"futureKey":{"n":18446744073709551615,"t":"<a&b>"},"ociVersion"`, 1)
	must(t, os.WriteFile(filepath.Join(l.c.Bundle, sdk.ConfigFile), []byte(config), 0o600))
	must(t, l.inject(t.Context(), l.c))
	document, err := readDocument(filepath.Join(l.c.Bundle, sdk.ConfigFile))
	must(t, err)
	if diff := cmp.Diff(map[string]any{"n": json.Number("18446744073709551615"), "t": "<a&b>"}, document["futureKey"]); diff != "" {
		t.Error(diff)
	}
	if text, _ := json.Marshal(document); !strings.Contains(string(text), "/dev/full") {
		t.Errorf("there is no device: %s", text)
	}
}

// NVIDIA's own hook of the legacy mode reads its configuration when it runs, and there ours.
func TestLegacyHookIsToldTheConfiguration(t *testing.T) {
	hook := filepath.Join(t.TempDir(), "nvidia-container-runtime-hook")
	must(t, os.WriteFile(hook, nil, 0o755))
	own := specs.Hook{Path: "/own", Args: []string{"own"}}
	document := map[string]any{"hooks": map[string]any{"prestart": []any{"the bundle's own"}}}
	added, err := addHooks(document, &specs.Hooks{Prestart: []specs.Hook{own}}, &specs.Hooks{Prestart: []specs.Hook{own, {Path: hook}}}, "/c.toml")
	must(t, err)
	want := []any{"the bundle's own", specs.Hook{Path: hook, Env: []string{searchPath, "NVIDIA_CTK_CONFIG_FILE_PATH=/c.toml"}}}
	if diff := cmp.Diff(want, table(document, "hooks")["prestart"]); diff != "" || added != 1 {
		t.Errorf("%d added: %s", added, diff)
	}
}

// The node's own configuration counts, but for what the driver sets.
func TestConfiguration(t *testing.T) {
	l := newLab(t)
	l.configure(t, "disable-require = true\n[nvidia-container-runtime]\nruntimes = [\"docker-runc\"]\nlog-level = \"warn\"\n[nvidia-container-cli]\nroot = \"/driver\"\n")
	file := l.path("written.toml")
	must(t, l.driver.configure(file))
	text, err := os.ReadFile(file)
	must(t, err)
	for _, line := range []string{"disable-require = true", `log-level = 'warn'`, `root = '/driver'`, `runtimes = ['/bin/true']`, `mode = 'cdi'`} {
		if !strings.Contains(string(text), line+"\n") {
			t.Errorf("%s is missing in:\n%s", line, text)
		}
	}
	if strings.Contains(string(text), "no-cgroups = true") != (os.Geteuid() != 0) {
		t.Errorf("no-cgroups is for ordinary users:\n%s", text)
	}
	l.configure(t, "mode = [")
	if err := l.driver.configure(file); sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(err.Error(), l.settings.Config) {
		t.Errorf("a broken configuration: %v", err)
	}
}
