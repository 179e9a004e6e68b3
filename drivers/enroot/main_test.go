package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/drivertest"
)

// programsEnv names the directory of the programs that the tests need.
const programsEnv = "BERTH_TEST_ENROOT_PROGRAMS"

func TestMain(m *testing.M) {
	status, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func testMain(m *testing.M) (int, error) {
	dir, err := os.MkdirTemp("", "enroot-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	os.Setenv(programsEnv, dir)
	if err := os.Mkdir(filepath.Join(dir, "registry"), 0o755); err != nil {
		return 0, err
	}
	sources, _ := filepath.Glob("../../init/*.c")
	for _, args := range [][]string{
		{"go", "build", "-o", filepath.Join(dir, "enroot"), "./testdata/standin"},
		{"go", "build", "-tags", "grpcnotrace", "-o", filepath.Join(dir, "driver"), "."},
		append([]string{"cc", "-std=c11", "-Os", "-static", "-o", filepath.Join(dir, "berth-init")}, sources...),
	} {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("building %q: %w: %s", args, err, out)
		}
	}
	return m.Run(), nil
}

func program(name string) string { return filepath.Join(os.Getenv(programsEnv), name) }

// runtimes are those that a test tries: our stand-in, and a real enroot wherever there is one.
func runtimes(t *testing.T) map[string]string {
	t.Helper()
	found := map[string]string{"stand-in": program("enroot")}
	place := os.Getenv("BERTH_TEST_ENROOT")
	if place == "" {
		place = installed("/usr/bin/enroot", "/usr/local/bin/enroot")
	}
	real, err := exec.LookPath(place)
	if err != nil {
		t.Log("no enroot is installed, nor named by BERTH_TEST_ENROOT: only the stand-in for it was tried")
		return found
	}
	found["enroot"] = real
	return found
}

func TestConformance(t *testing.T) {
	for name, runtime := range runtimes(t) {
		t.Run(name, func(t *testing.T) {
			drivertest.Run(t, drivertest.Config{
				Driver: program("driver"), Settings: map[string]any{"runtime": runtime},
				Lacks: map[drivertest.Feature]string{drivertest.Isolation: "it shares the node's pid, IPC and UTS namespaces"},
			})
		})
	}
}

func TestVersionsAreRead(t *testing.T) {
	for text, want := range map[string]bool{"4.1.2": true, "4.0": true, "10.1.0": true, "3.5.0": false} {
		if got, err := isEnough(text); err != nil || got != want {
			t.Errorf("%q: %v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "4", "x.y", "runc version 1.1.5", "4.1.2.3"} {
		if _, err := isEnough(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestRuntimesThatDoNotDo(t *testing.T) {
	for script, want := range map[string]string{
		"#!/bin/sh\necho 3.5.0\n": "3.5.0 is too old", "#!/bin/sh\necho hello\n": "is no enroot", "#!/bin/sh\nexit 1\n": "exit status 1", "": "no such file",
	} {
		file := filepath.Join(t.TempDir(), "enroot")
		if script != "" {
			must(t, os.WriteFile(file, []byte(script), 0o755))
		}
		d := &driver{settings: &settings{Runtime: file, Isolation: refuse}}
		_, err := d.Check(t.Context())
		if sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(err.Error(), want) || sdk.Advice(err) == "" {
			t.Errorf("%q: %v, advice %q", script, err, sdk.Advice(err))
		}
	}
	d := &driver{settings: &settings{Runtime: program("enroot"), Isolation: refuse}}
	if found, err := d.Check(t.Context()); err != nil || found.Version != "4.1.2" {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	good := settings{Runtime: "/x", Isolation: share, Data: "/d", Cache: "/c", Hooks: []string{"/h.sh"}}
	if err := good.Validate(); err != nil {
		t.Error(err)
	}
	for _, spoil := range []func(s *settings){
		func(s *settings) { s.Runtime = "enroot" }, func(s *settings) { s.Runtime = "" }, func(s *settings) { s.Isolation = "maybe" },
		func(s *settings) { s.Data = "d" }, func(s *settings) { s.Cache = "c" }, func(s *settings) { s.Hooks = []string{"h.sh"} },
		func(s *settings) { s.Hooks = []string{"/h"} },
	} {
		s := good
		spoil(&s)
		if err := s.Validate(); sdk.Kind(err) != sdk.ErrInvalid {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// What the README promises is proved by the tests that it names, and its table of settings is complete.
func TestReadmeIsTrue(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	must(t, err)
	var source []byte
	files, _ := filepath.Glob("*_test.go")
	beside, _ := filepath.Glob("../../test/*_test.go")
	slurm, _ := filepath.Glob("../../test/slurm/*_test.go")
	for _, file := range append(slices.Concat(files, beside, slurm), "../../init/exact_test.go") {
		text, err := os.ReadFile(file)
		must(t, err)
		source = append(source, text...)
	}
	names := regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(string(readme), -1)
	if len(names) < 10 {
		t.Errorf("only %d tests are named", len(names))
	}
	for _, name := range names {
		if !strings.Contains(string(source), "func "+name+"(") {
			t.Errorf("there is no %s", name)
		}
	}
	fields := reflect.TypeFor[settings]()
	for i := range fields.NumField() {
		if key := fields.Field(i).Tag.Get("json"); !strings.Contains(string(readme), "| `"+key+"` |") {
			t.Errorf("setting %s is missing", key)
		}
	}
}
