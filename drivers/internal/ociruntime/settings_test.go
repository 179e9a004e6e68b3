package ociruntime

import (
	"errors"
	"os"
	"path/filepath"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

func TestSettingsAreChecked(t *testing.T) {
	for _, test := range []struct {
		name   string
		r      Runtime
		change func(*Settings)
		key    string // of the error; empty: none
	}{
		{"defaults of runc", Runc(), func(*Settings) {}, ""},
		{"defaults of crun", Crun(), func(*Settings) {}, ""},
		{"everything of runc", Runc(), func(s *Settings) { s.Root, s.DebugLog, s.Rootless = "/r", "/d", "true" }, ""},
		{"everything of crun", Crun(), func(s *Settings) { s.Root, s.DebugLog, s.CgroupManager = "/r", "/d", "disabled" }, ""},
		{"no runtime", Runc(), func(s *Settings) { s.Runtime = "" }, "runtime"},
		{"runtime to be searched", Runc(), func(s *Settings) { s.Runtime = "runc" }, "runtime"},
		{"relative root", Runc(), func(s *Settings) { s.Root = "r" }, "root"},
		{"relative log", Runc(), func(s *Settings) { s.DebugLog = "d" }, "debug_log"},
		{"unknown rootless", Runc(), func(s *Settings) { s.Rootless = "maybe" }, "rootless"},
		{"rootless of crun", Crun(), func(s *Settings) { s.Rootless = "true" }, "rootless"},
		{"systemd's cgroups", Crun(), func(s *Settings) { s.CgroupManager = "systemd" }, "cgroup_manager"},
		{"cgroup manager of runc", Runc(), func(s *Settings) { s.CgroupManager = "cgroupfs" }, "cgroup_manager"},
	} {
		t.Run(test.name, func(t *testing.T) {
			s := New(test.r).Settings().(*Settings)
			test.change(s)
			err := s.Validate()
			var setting *sdk.SettingError
			if key := ""; errors.As(err, &setting) {
				key = setting.Key
				if key != test.key {
					t.Errorf("error about %q, want %q", key, test.key)
				}
			} else if err != nil || test.key != "" {
				t.Errorf("got %v, want an error about %q", err, test.key)
			}
		})
	}
}

func TestInstalledIsTheFirstThatExists(t *testing.T) {
	here := filepath.Join(t.TempDir(), "runc")
	if err := os.WriteFile(here, nil, 0o755); err != nil {
		t.Fatal(err)
	}
	if got := installed([]string{"/nowhere/runc", here}); got != here {
		t.Errorf("got %q", got)
	}
	if got := installed([]string{"/nowhere/runc", "/nowhere/else"}); got != "/nowhere/runc" {
		t.Errorf("with none installed: %q", got)
	}
}

func TestRootDirectory(t *testing.T) {
	d := New(Runc())
	if _, err := d.root(&sdk.Container{}); sdk.Kind(err) != sdk.ErrInvalid {
		t.Errorf("without a root: %v", err)
	}
	if got, err := d.root(&sdk.Container{Root: "/r"}); got != "/r" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	dir := t.TempDir()
	s := d.Settings().(*Settings)
	s.Root = dir
	for range 2 {
		got, err := d.root(&sdk.Container{Root: "/r"})
		info, statErr := os.Lstat(got)
		if err != nil || statErr != nil || filepath.Dir(got) != dir || info.Mode().Perm() != 0o700 {
			t.Errorf("got %q, %v, %v", got, err, statErr)
		}
	}
	own, _ := d.root(&sdk.Container{})
	if err := os.Chmod(own, 0o755); err != nil {
		t.Fatal(err)
	}
	var setting *sdk.SettingError
	if _, err := d.root(&sdk.Container{}); !errors.As(err, &setting) || setting.Key != "root" {
		t.Errorf("a directory open to others: %v", err)
	}
	if err := errors.Join(os.Remove(own), os.Symlink(dir, own)); err != nil {
		t.Fatal(err)
	}
	if _, err := d.root(&sdk.Container{}); !errors.As(err, &setting) {
		t.Errorf("a symbolic link: %v", err)
	}
}

func TestDiscardFollowsNoLink(t *testing.T) {
	root, outside := t.TempDir(), t.TempDir()
	kept := filepath.Join(outside, "kept")
	if err := errors.Join(
		os.WriteFile(kept, nil, 0o600), os.Mkdir(filepath.Join(root, "c"), 0o700),
		os.Symlink(outside, filepath.Join(root, "c", "link")), os.Symlink(outside, filepath.Join(root, "d")),
	); err != nil {
		t.Fatal(err)
	}
	for _, id := range []string{"c", "d", "unknown"} {
		if err := discard(root, id); err != nil {
			t.Errorf("discarding %s: %v", id, err)
		}
	}
	if _, err := os.Stat(kept); err != nil {
		t.Error(err)
	}
	if left, _ := os.ReadDir(root); len(left) != 0 {
		t.Errorf("left: %v", left)
	}
}

// TestRootElsewhere: with state outside of the container's own directory, something there tells the
// host to ask before it takes the container for dead.
func TestRootElsewhere(t *testing.T) {
	d := New(Runc())
	d.settings.Root = t.TempDir()
	c := &sdk.Container{ID: "x", Bundle: t.TempDir(), Root: t.TempDir()}
	root, err := d.root(c)
	if err != nil {
		t.Fatal(err)
	}
	if err := d.markElsewhere(c, root); err != nil {
		t.Fatal(err)
	}
	entries, err := os.ReadDir(c.Root)
	if err != nil || len(entries) != 1 {
		t.Fatalf("got %v, %v; want one file in %s", entries, err, c.Root)
	}
}
