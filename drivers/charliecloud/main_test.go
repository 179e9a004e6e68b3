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
)

// programsEnv names the directory of the programs that the tests need, where somebody has built them.
const programsEnv = "BERTH_TEST_PROGRAMS"

func TestMain(m *testing.M) {
	status, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func testMain(m *testing.M) (int, error) {
	if os.Getenv(programsEnv) != "" {
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "charliecloud-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	os.Setenv(programsEnv, dir)
	if err := buildInit(dir + "/berth-init"); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

func berthInit() string { return filepath.Join(os.Getenv(programsEnv), "berth-init") }

func buildInit(file string) error {
	sources, _ := filepath.Glob("../../init/*.c")
	out, err := exec.Command("cc", append([]string{"-std=c11", "-Os", "-static", "-o", file}, sources...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("building berth-init: %w: %s", err, out)
	}
	return nil
}

func TestVersionsAreRead(t *testing.T) {
	for text, want := range map[string]int{"0.31\n": 31, "0.45.2": 45, "0.38~pre+a": 38, "1.0": 1 << 20} {
		if _, minor, err := parseVersion(text); err != nil || minor != want {
			t.Errorf("%q: %d, %v", text, minor, err)
		}
	}
	for _, text := range []string{"", "x", "runc version 1.1.5", "0.", ".31", "0.31 and more"} {
		if _, _, err := parseVersion(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestRuntimesThatDoNotDo(t *testing.T) {
	for script, want := range map[string]string{"#!/bin/sh\necho 0.30\n": "0.30 is too old", "#!/bin/sh\necho hello\n": "is no ch-run", "#!/bin/sh\nexit 1\n": "exit status 1"} {
		file := filepath.Join(t.TempDir(), "ch-run")
		must(t, os.WriteFile(file, []byte(script), 0o755))
		d := &driver{settings: &settings{Runtime: file, Isolation: refuse}}
		_, err := d.Check(t.Context())
		if sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(err.Error(), want) || sdk.Advice(err) == "" {
			t.Errorf("%q: %v, advice %q", script, err, sdk.Advice(err))
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, s := range []settings{{Runtime: "ch-run", Isolation: refuse}, {Runtime: "/x", Isolation: "maybe"}} {
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
	beside, _ := filepath.Glob("../../*/*_test.go")
	slurm, _ := filepath.Glob("../../test/slurm/*_test.go")
	for _, file := range append(slices.Concat(files, beside, slurm), "../internal/userns/userns_test.go") {
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
