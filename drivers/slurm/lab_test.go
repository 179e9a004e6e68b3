package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// lab is a driver and one container of its, as the host hands it over.
type lab struct {
	*driver
	c    *sdk.Container
	spec *specs.Spec
	dir  string // what is named TEST in golden files
}

func newLab(t *testing.T) *lab {
	t.Helper()
	t.Setenv(jobVariable, "")
	l := &lab{driver: &driver{who: func() identity { return identity{1001, 1002} }}, dir: t.TempDir()}
	l.Settings()
	l.settings.Bin, l.settings.SharedDir = l.path("bin"), l.path("shared")
	for _, dir := range []string{"bin", "image/bin", "image/usr/bin", "bundle", "root", "shared", "data"} {
		must(t, os.MkdirAll(l.path(dir), 0o755))
	}
	for _, file := range []string{"bin/srun", "image/usr/bin/tool", "file"} {
		must(t, os.WriteFile(l.path(file), []byte(file), 0o755))
	}
	must(t, os.Symlink("busybox", l.path("image/bin/sh")))
	l.c = &sdk.Container{ID: "c1", Bundle: l.path("bundle"), Root: l.path("root"), Umask: 0o22}
	l.spec = &specs.Spec{
		Version:     "1.0.2",
		Process:     &specs.Process{Args: []string{"/dev/.berth-init", "--", "sh", "-c", "echo $HOME"}, Cwd: "/", Env: []string{"PATH=/usr/bin:/bin", "A=b c"}},
		Root:        &specs.Root{Path: l.path("image"), Readonly: true},
		Annotations: map[string]string{"org.berth.driver": "slurm"},
		Mounts: []specs.Mount{
			{Destination: "/proc", Type: "proc", Source: "proc"},
			{Destination: "/dev/.berth-init", Type: "bind", Source: "/bin/true", Options: []string{"bind", "ro"}},
		},
		Linux: &specs.Linux{
			Namespaces:  []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.UserNamespace}},
			UIDMappings: []specs.LinuxIDMapping{{HostID: uint32(os.Geteuid()), Size: 1}, {ContainerID: 1, HostID: 100000, Size: 65536}},
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
	l.c.Annotations = l.spec.Annotations
	return l.Run(t.Context(), l.c)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// staged lists what is in the shared directory.
func (l *lab) staged(t *testing.T) []string {
	t.Helper()
	found, err := filepath.Glob(l.path("shared/*"))
	must(t, err)
	return found
}
