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

// What the README promises is proved by the tests that it names; its settings and options are all there are.
func TestReadmeIsTrue(t *testing.T) {
	text, err := os.ReadFile("README.md")
	must(t, err)
	readme := string(text)
	var source strings.Builder
	for _, pattern := range []string{"*_test.go", "../../test/*_test.go", "../../test/slurm/*_test.go"} {
		files, _ := filepath.Glob(pattern)
		for _, file := range files {
			text, err := os.ReadFile(file)
			must(t, err)
			source.Write(text)
		}
	}
	names := regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(readme, -1)
	if len(names) < 10 {
		t.Errorf("only %d tests are named", len(names))
	}
	for _, name := range names {
		if !strings.Contains(source.String(), "func "+name+"(") {
			t.Errorf("there is no %s", name)
		}
	}
	fields := reflect.TypeFor[settings]()
	for i := range fields.NumField() {
		if key := fields.Field(i).Tag.Get("json"); !strings.Contains(readme, "| `"+key+"` |") {
			t.Errorf("setting %s is missing", key)
		}
	}
	list := strings.Join(strings.Fields(readme), " ")
	var all, also []string
	for _, o := range table {
		all, also = append(all, o.name), append(also, o.also...)
	}
	if !strings.Contains(list, " "+strings.Join(all, ", ")+" ") {
		t.Errorf("the options are not %s", strings.Join(all, ", "))
	}
	for _, name := range also {
		if !strings.Contains(readme, "`"+name+"`") {
			t.Errorf("variable %s is missing", name)
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	good := func() *settings { return (&driver{}).Settings().(*settings) }
	if err := good().Validate(); err != nil {
		t.Error(err)
	}
	for key, spoil := range map[string]func(*settings){
		"bin":             func(s *settings) { s.Bin = "" },
		"conf":            func(s *settings) { s.Conf = "slurm.conf" },
		"staging":         func(s *settings) { s.Staging = "rsync" },
		"shared_dir":      func(s *settings) { s.SharedDir = "~scratch" },
		"shared_paths[0]": func(s *settings) { s.SharedPaths = []string{"home"} },
		"compute_driver":  func(s *settings) { s.ComputeDriver = "slurm" },
		"options.chdir":   func(s *settings) { s.Options = map[string]string{"chdir": "/"} },
		"options.exact":   func(s *settings) { s.Options = map[string]string{"exact": "often"} },
	} {
		s := good()
		spoil(s)
		err := s.Validate()
		setting, ok := err.(*sdk.SettingError)
		if !ok || setting.Key != key {
			t.Errorf("%s: %v", key, err)
		}
	}
}

// Root of rootless podman's user namespace is somebody else outside, and root's containers are refused.
func TestIdentity(t *testing.T) {
	const table = "         0       1001          1\n         1     100000      65536\n"
	for id, want := range map[int]int{0: 1001, 1: 100000, 65536: 165535, 70000: 70000} {
		if got := mappedTo(id, table); got != want {
			t.Errorf("%d is %d outside, not %d", id, got, want)
		}
	}
	l := newLab(t)
	l.who = func() identity { return identity{} }
	if _, err := l.plan(t); sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(sdk.Advice(err), "allow_root") {
		t.Errorf("root: %v (%s)", err, sdk.Advice(err))
	}
	l.settings.AllowRoot = true
	if _, err := l.plan(t); err != nil {
		t.Errorf("root, allowed: %v", err)
	}
}

func TestFirstNode(t *testing.T) {
	for list, want := range map[string]string{"n1": "n1", "n[1-3,7]": "n1", "a,b": "a", "n[07]": "n07", "r[1-2]n[0-3]x,q": "r1n0x", "n[3,1],z": "n3", "": "", "n[1": ""} {
		if got := firstNode(list); got != want {
			t.Errorf("%q: %q", list, got)
		}
	}
}
