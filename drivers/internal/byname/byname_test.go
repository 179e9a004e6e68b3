package byname

import (
	"encoding/json"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// read writes a bundle with an image and one change, and has it read.
func read(t *testing.T, share bool, change func(spec *specs.Spec, c *sdk.Container)) (*Container, error) {
	t.Helper()
	c := &sdk.Container{Bundle: t.TempDir(), Umask: 0o22}
	spec := &specs.Spec{
		Version:     "1.0.2",
		Annotations: map[string]string{Annotation: "docker:name:1"},
		Process:     &specs.Process{Args: []string{"true"}, Cwd: "/", User: specs.User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())}},
		Root:        &specs.Root{Path: t.TempDir(), Readonly: true},
		Linux:       &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}}},
	}
	change(spec, c)
	text, err := json.Marshal(spec)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(c.Bundle, sdk.ConfigFile), text, 0o600); err != nil {
		t.Fatal(err)
	}
	c.Annotations = spec.Annotations
	return (&Runtime{Name: "it", Path: "/usr/bin/su", Share: share}).Read(c)
}

// applied are the fields of config.json that are acted on, or that ask for nothing of the runtime.
var applied = []string{
	"ociVersion", "annotations", "mounts", "root.path", "process.terminal", "process.consoleSize", "process.args", "process.env",
	"process.cwd", "process.noNewPrivileges", "linux.uidMappings", "linux.gidMappings",
	"solaris", "windows", "vm", "zos", "freebsd", "process.commandLine", "process.user.username",
	"process", "process.user", "linux", "root",
}

func TestEveryFieldIsAppliedOrRefused(t *testing.T) {
	for prefix, in := range map[string]func(s *specs.Spec) reflect.Value{
		"":              func(s *specs.Spec) reflect.Value { return reflect.ValueOf(s).Elem() },
		"process.":      func(s *specs.Spec) reflect.Value { return reflect.ValueOf(s.Process).Elem() },
		"process.user.": func(s *specs.Spec) reflect.Value { return reflect.ValueOf(&s.Process.User).Elem() },
		"linux.":        func(s *specs.Spec) reflect.Value { return reflect.ValueOf(s.Linux).Elem() },
	} {
		fields := in(&specs.Spec{Process: &specs.Process{}, Linux: &specs.Linux{}}).Type()
		for i := range fields.NumField() {
			key, _, _ := strings.Cut(fields.Field(i).Tag.Get("json"), ",")
			if slices.Contains(applied, prefix+key) {
				continue
			}
			_, err := read(t, false, func(s *specs.Spec, _ *sdk.Container) { fill(in(s).Field(i)) })
			if sdk.Kind(err) != sdk.ErrUnsupported || !strings.Contains(err.Error(), prefix+key) {
				t.Errorf("%s%s: %v", prefix, key, err)
			}
		}
	}
}

// fill gives a value something to ask for, whatever it is.
func fill(v reflect.Value) {
	switch v.Kind() {
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		fill(v.Elem())
	case reflect.Slice:
		v.Set(reflect.MakeSlice(v.Type(), 1, 1))
		fill(v.Index(0))
	case reflect.Map:
		v.Set(reflect.MakeMap(v.Type()))
		element := reflect.New(v.Type().Elem()).Elem()
		fill(element)
		v.SetMapIndex(reflect.ValueOf("x"), element)
	case reflect.Struct:
		for i := range v.NumField() {
			fill(v.Field(i))
		}
	case reflect.String:
		v.SetString("x")
	case reflect.Bool:
		v.SetBool(true)
	case reflect.Int, reflect.Int64, reflect.Int32:
		v.SetInt(7)
	case reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64:
		v.SetUint(7)
	case reflect.Float64:
		v.SetFloat(7)
	}
}

func TestSharingPassesOverIsolationOnly(t *testing.T) {
	for name, change := range map[string]func(s *specs.Spec, _ *sdk.Container){
		"pid": func(s *specs.Spec, _ *sdk.Container) {
			s.Linux.Namespaces = append(s.Linux.Namespaces, specs.LinuxNamespace{Type: specs.PIDNamespace})
		},
		"hostname": func(s *specs.Spec, _ *sdk.Container) { s.Hostname = "x" },
		"user":     func(s *specs.Spec, _ *sdk.Container) { s.Process.User.UID += 7 },
		"dev":      func(s *specs.Spec, _ *sdk.Container) { s.Mounts = []specs.Mount{{Destination: "/dev", Type: "tmpfs"}} },
	} {
		for _, share := range []bool{true, false} {
			if _, err := read(t, share, change); (err == nil) != share {
				t.Errorf("%s, share %v: %v", name, share, err)
			}
		}
	}
	_, err := read(t, true, func(s *specs.Spec, _ *sdk.Container) { s.Linux.Seccomp = &specs.LinuxSeccomp{} })
	if sdk.Kind(err) != sdk.ErrUnsupported {
		t.Errorf("seccomp: %v", err)
	}
}

func TestMounts(t *testing.T) {
	bind := func(source, target string, options ...string) func(*specs.Spec, *sdk.Container) {
		return func(s *specs.Spec, _ *sdk.Container) {
			s.Mounts = []specs.Mount{{Destination: target, Type: "bind", Source: source, Options: options}}
		}
	}
	for _, refused := range []func(*specs.Spec, *sdk.Container){
		bind("/etc", "/"), bind("/etc", "relative"), bind("/etc", "/a:b"), bind("/etc", "/a,b"), bind("/etc", "/a b"), bind("/etc", "/x", "noexec"),
		bind("/no/such", "/x"), func(s *specs.Spec, _ *sdk.Container) { s.Mounts = []specs.Mount{{Destination: "/x", Type: "overlay"}} },
	} {
		if _, err := read(t, true, refused); err == nil || !strings.HasPrefix(err.Error(), "mounts[0].") {
			t.Errorf("%v", err)
		}
	}
	found, err := read(t, false, bind("/etc", "/x", "ro", "nosuid"))
	if err != nil || len(found.Binds) != 1 || found.Binds[0] != (Bind{"/etc", "/x", true}) {
		t.Errorf("%+v, %v", found, err)
	}
}

// berth-init, for which there is no place, is taken off, unless it is needed.
func TestBerthInit(t *testing.T) {
	args := func(args ...string) func(*specs.Spec, *sdk.Container) {
		return func(s *specs.Spec, _ *sdk.Container) {
			s.Process.Args = args
			s.Mounts = []specs.Mount{{Destination: "/dev/.berth-init", Type: "bind", Source: "/etc/passwd"}}
		}
	}
	found, err := read(t, false, args("/dev/.berth-init", "--by-name", "--", "echo", "--"))
	if err != nil || !slices.Equal(found.Args, []string{"echo", "--"}) || len(found.Binds) > 0 {
		t.Errorf("%+v, %v", found, err)
	}
	for _, change := range []func(*specs.Spec, *sdk.Container){args("/dev/.berth-init", "--init", "--", "echo"), args("/dev/.berth-init", "--")} {
		if _, err := read(t, false, change); sdk.Kind(err) != sdk.ErrUnsupported {
			t.Errorf("%v", err)
		}
	}
}

func TestNames(t *testing.T) {
	for _, name := range []string{"", "--volume=/:/x", "a b", "a\nb"} {
		_, err := read(t, false, func(s *specs.Spec, _ *sdk.Container) { s.Annotations[Annotation] = name })
		if sdk.Kind(err) != sdk.ErrInvalid {
			t.Errorf("%q: %v", name, err)
		}
	}
	_, err := read(t, false, func(s *specs.Spec, _ *sdk.Container) { s.Root.Path = "/etc" })
	if sdk.Kind(err) != sdk.ErrInvalid || sdk.Advice(err) == "" {
		t.Errorf("two images: %v", err)
	}
	_, err = read(t, false, func(_ *specs.Spec, c *sdk.Container) { c.IO.Detach = true })
	if sdk.Kind(err) != sdk.ErrUnsupported {
		t.Errorf("detached: %v", err)
	}
}

func TestDroppedVariables(t *testing.T) {
	for name, want := range map[string]bool{"LD_PRELOAD": true, "TMPDIR": true, "MALLOC_ARENA_MAX": true, "HOME": false, "SECRET": false} {
		if Dropped(name) != want {
			t.Errorf("%s: %v", name, !want)
		}
	}
}
