package main

import (
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

func TestCheck(t *testing.T) {
	l := newLab(t)
	found, err := l.Check(t.Context())
	if found.Name != "nvidia-container-runtime" || found.Path != installedForTests || err != nil {
		t.Errorf("%+v, %v", found, err)
	}
	for script, want := range map[string]string{
		"#!/bin/sh\necho runc version 1.1.5\n": "is no nvidia-container-runtime",
		"#!/bin/sh\necho broken >&2\nexit 3\n": "broken",
	} {
		l.settings.Runtime = filepath.Join(t.TempDir(), "runtime")
		must(t, os.WriteFile(l.settings.Runtime, []byte(script), 0o755))
		if _, err := l.Check(t.Context()); sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(err.Error(), want) || sdk.Advice(err) == "" {
			t.Errorf("%q: %v, advice %q", script, err, sdk.Advice(err))
		}
	}
	l.settings.Runtime, l.settings.LowLevel = installedForTests, "/nowhere/crun"
	if _, err := l.Check(t.Context()); sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(sdk.Advice(err), "low_level in [drivers.nvidia]") {
		t.Errorf("no low-level runtime: %v, advice %q", err, sdk.Advice(err))
	}
}

// The version of a released program, and one that a low-level runtime's follows.
func TestVersionIsRead(t *testing.T) {
	for script, want := range map[string]string{
		"echo NVIDIA Container Runtime version 1.17.8; echo commit: x; echo; echo runc version 1.1": "1.17.8",
		"echo NVIDIA Container Runtime version 1.14.0; exit 1":                                      "1.14.0",
		"echo NVIDIA Container Runtime version unknown":                                             "",
	} {
		d := &driver{settings: defaults()}
		d.settings.Runtime = filepath.Join(t.TempDir(), "runtime")
		must(t, os.WriteFile(d.settings.Runtime, []byte("#!/bin/sh\n"+script+"\n"), 0o755))
		if got, err := d.version(t.Context()); got != want || err != nil {
			t.Errorf("%q: %q, %v", script, got, err)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for key, change := range map[string]func(s *settings){
		"runtime":   func(s *settings) { s.Runtime = "nvidia-container-runtime" },
		"low_level": func(s *settings) { s.LowLevel = "/usr/bin/youki" },
		"config":    func(s *settings) { s.Config = "" },
		"mode":      func(s *settings) { s.Mode = "magic" },
		"devices":   func(s *settings) { s.Devices = "all" },
	} {
		s := defaults()
		if err := s.Validate(); err != nil {
			t.Errorf("the defaults: %v", err)
		}
		change(s)
		if err := s.Validate(); sdk.Kind(err) != sdk.ErrInvalid || !strings.Contains(err.Error(), "setting "+key) {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// What the README promises is proved by the tests that it names, and its table of settings is complete.
func TestReadmeIsTrue(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	must(t, err)
	var source []byte
	files, _ := filepath.Glob("*_test.go")
	beside, _ := filepath.Glob("../*/*/*_test.go")
	for _, file := range append(append(files, beside...), "../../test/driver_test.go") {
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
