package main

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

func TestRuntimesThatDoNotDo(t *testing.T) {
	for calls, want := range map[string]string{
		"apptainer version 1.0.3": "1.0.3 is too old", "singularity-ce version 3.8.1": "is too old", "singularity version 2.6.1": "is too old",
		"runc version 1.1.5": "neither Apptainer nor Singularity", "apptainer version x.y": "neither", "": "no such file or directory",
	} {
		l := newLab(t, calls)
		if calls == "" {
			l.settings.Runtime = l.path("nowhere")
		}
		_, err := l.Check(t.Context())
		if sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(err.Error(), want) || sdk.Advice(err) == "" {
			t.Errorf("%q: %v, advice %q", calls, err, sdk.Advice(err))
		}
	}
	l := newLab(t, "apptainer version 1.4.5-2")
	if found, err := l.Check(t.Context()); err != nil || *found != (sdk.Runtime{Name: "apptainer", Path: l.settings.Runtime, Version: "1.4.5-2"}) {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for key, change := range map[string]func(s *settings){
		"runtime":   func(s *settings) { s.Runtime = "apptainer" },
		"mode":      func(s *settings) { s.Mode = "other" },
		"isolation": func(s *settings) { s.Isolation = "maybe" },
		"sudo":      func(s *settings) { s.Mode, s.Sudo = ociMode, "sudo" },
		"":          func(s *settings) { s.Mode, s.Sudo = ociMode, "/usr/bin/sudo" },
	} {
		s := defaults()
		change(s)
		var wrong *sdk.SettingError
		if err := s.Validate(); (key != "") != (errors.As(err, &wrong) && wrong.Key == key) || key == "" && err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if err := (&settings{Runtime: "/x", Mode: nativeMode, Isolation: refuse, Sudo: "/usr/bin/sudo"}).Validate(); sdk.Kind(err) != sdk.ErrInvalid {
		t.Errorf("sudo in native mode: %v", err)
	}
}

func TestBadImages(t *testing.T) {
	l := newLab(t, recent)
	l.addSubordinateIDs()
	sif := strings.Repeat("\x00", 32) + "SIF_MAGIC\x00"
	for name, text := range map[string]string{
		"nothing": "", "text": "no image at all", "short": "hsqs", "truncated": "hsqs" + strings.Repeat("\xff", 200), "short-sif": sif,
		"truncated-sif": sif + strings.Repeat("\x01", 200),
	} {
		must(t, os.WriteFile(l.path(name), []byte(text), 0o644))
		l.spec.Root.Path = l.path(name)
		if _, err := l.plan(t); sdk.Kind(err) != sdk.ErrInvalid || !strings.Contains(err.Error(), "root.path") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the README promises is proved by the tests that it names, and its table of settings is complete.
func TestReadmeIsTrue(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	must(t, err)
	var source []byte
	files, _ := filepath.Glob("*_test.go")
	for _, file := range append(files, "../internal/userns/userns_test.go") {
		text, err := os.ReadFile(file)
		must(t, err)
		source = append(source, text...)
	}
	names := regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(string(readme), -1)
	if len(names) < 10 {
		t.Errorf("only %d tests are named", len(names))
	}
	for _, name := range names {
		if !strings.Contains(string(source), fmt.Sprintf("func %s(", name)) {
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
