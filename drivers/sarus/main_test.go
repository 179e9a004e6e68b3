package main

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/byname"
	"github.com/berth-hpc/berth/sdk"
)

func TestPlan(t *testing.T) {
	d, c, spec := lab(t)
	write(t, c, spec)
	cmd, err := d.Run(t.Context(), c)
	must(t, err)
	want := []string{
		"su", "run", "--entrypoint=", "--workdir=/work", "--mount=type=bind,source=/etc,destination=/data,readonly", "--mount=type=bind,source=/etc,destination=/more",
		"--env=PATH", "--env=SECRET", "--env=LD_LIBRARY_PATH=/l", "IMAGE", "sh", "-c", "echo $HOME",
	}
	if !slices.Equal(cmd.Args, want) || !slices.Equal(cmd.Env, spec.Process.Env) || cmd.Path != "/usr/bin/su" {
		t.Errorf("%+v", cmd)
	}
}

func TestDescriptors(t *testing.T) {
	d, c, spec := lab(t)
	c.Files = 1
	write(t, c, spec)
	if _, err := d.Run(t.Context(), c); !errors.Is(err, sdk.ErrUnsupported) {
		t.Errorf("%v", err)
	}
	spec.Process.Env = append(spec.Process.Env, "PMI_FD=3")
	write(t, c, spec)
	if _, err := d.Run(t.Context(), c); err != nil {
		t.Errorf("PMI's: %v", err)
	}
}

// lab is a driver and a bundle of its. What stands for the runtime is a program with the set-user-ID bit.
func lab(t *testing.T) (*driver, *sdk.Container, *specs.Spec) {
	t.Helper()
	d := &driver{}
	d.Settings()
	d.settings.Runtime = "/usr/bin/su"
	c := &sdk.Container{ID: "c1", Bundle: t.TempDir(), Umask: 0o22}
	spec := &specs.Spec{
		Version:     "1.0.2",
		Annotations: map[string]string{byname.Annotation: "IMAGE"},
		Process: &specs.Process{
			Args: []string{"sh", "-c", "echo $HOME"}, Cwd: "/work", User: specs.User{UID: uint32(os.Geteuid()), GID: uint32(os.Getegid())},
			Env: []string{"PATH=/bin", "SECRET=x\ny", "LD_LIBRARY_PATH=/l"},
		},
		Root:   &specs.Root{Path: t.TempDir(), Readonly: true},
		Mounts: []specs.Mount{{Destination: "/data", Type: "none", Source: "/etc", Options: []string{"bind", "ro"}}, {Destination: "/more", Type: "bind", Source: "/etc"}},
		Linux:  &specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.MountNamespace}, {Type: specs.UserNamespace}}},
	}
	return d, c, spec
}

func write(t *testing.T, c *sdk.Container, spec *specs.Spec) {
	t.Helper()
	text, err := json.Marshal(spec)
	must(t, err)
	must(t, os.WriteFile(filepath.Join(c.Bundle, sdk.ConfigFile), text, 0o600))
	c.Annotations = spec.Annotations
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, s := range []settings{{Runtime: "sarus", Isolation: "share"}, {Runtime: "/x", Isolation: "maybe"}} {
		if err := s.Validate(); sdk.Kind(err) != sdk.ErrInvalid {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if err := (&settings{Runtime: "/x", Isolation: "refuse"}).Validate(); err != nil {
		t.Error(err)
	}
}

// The runtime missing, or without the rights that it needs for ordinary users.
func TestCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "sarus")
	d := &driver{settings: &settings{Runtime: file}}
	if _, err := d.Check(t.Context()); sdk.Kind(err) != sdk.ErrUnavailable || sdk.Advice(err) == "" {
		t.Errorf("%v", err)
	}
	must(t, os.WriteFile(file, []byte("#!/bin/sh\n"), 0o755))
	if _, err := d.Check(t.Context()); os.Geteuid() != 0 && (sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(sdk.Advice(err), "chmod u+s")) {
		t.Errorf("%v", err)
	}
	d.settings.Runtime = "/usr/bin/su"
	if found, err := d.Check(t.Context()); err != nil || found.Path != "/usr/bin/su" {
		t.Errorf("%+v, %v", found, err)
	}
}

// A root directory is nothing that sarus can run.
func TestDirectoriesAreRefused(t *testing.T) {
	d, c, spec := lab(t)
	spec.Annotations = nil
	write(t, c, spec)
	_, err := d.Run(t.Context(), c)
	if want := "root.path: sarus runs images by their names, no directories and no files"; sdk.Kind(err) != sdk.ErrUnsupported || err.Error() != want || sdk.Advice(err) == "" {
		t.Errorf("%v (%s)", err, sdk.Advice(err))
	}
}

// A real container, wherever sarus is installed and BERTH_TEST_IMAGE names an image that it has.
func TestLive(t *testing.T) {
	image, place := os.Getenv("BERTH_TEST_IMAGE"), installed()
	if _, err := os.Stat(place); err != nil || image == "" {
		t.Logf("no sarus is installed, or BERTH_TEST_IMAGE names no image: only its plans were tried (%v)", err)
		return
	}
	d, c, spec := lab(t)
	d.settings.Runtime = place
	spec.Annotations[byname.Annotation] = image
	spec.Process.Args, spec.Process.Cwd, spec.Mounts = []string{"sh", "-c", "echo \"$SECRET\"; exit 42"}, "/", nil
	write(t, c, spec)
	plan, err := d.Run(t.Context(), c)
	must(t, err)
	cmd := &exec.Cmd{Path: plan.Path, Args: plan.Args, Env: plan.Env}
	out, _ := cmd.Output()
	if cmd.ProcessState.ExitCode() != 42 || string(out) != "x\ny\n" {
		t.Errorf("status %d: %q", cmd.ProcessState.ExitCode(), out)
	}
}

// What the README promises is proved by the tests that it names.
func TestReadmeIsTrue(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	must(t, err)
	var source []byte
	for _, pattern := range []string{"*_test.go", "../internal/byname/*_test.go"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			must(t, err)
			source = append(source, text...)
		}
	}
	names := regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(string(readme), -1)
	if len(names) < 5 {
		t.Errorf("only %d tests are named", len(names))
	}
	for _, name := range names {
		if !strings.Contains(string(source), "func "+name+"(") {
			t.Errorf("there is no %s", name)
		}
	}
}
