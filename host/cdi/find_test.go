package cdi

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	oci "github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

const two = `cdiVersion: "0.6.0"
kind: example.com/gpu
containerEdits:
  env: [ALL=1]
devices:
- name: "0"
  containerEdits: {env: [GPU=zero], deviceNodes: [{path: /dev/null}]}
- name: "1"
  containerEdits: {env: [GPU=one]}
`

// directories writes specifications, a directory each, and returns the directories.
func directories(t *testing.T, files ...string) []string {
	t.Helper()
	var dirs []string
	for _, text := range files {
		dir := t.TempDir()
		if err := os.WriteFile(filepath.Join(dir, "x.yaml"), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
		dirs = append(dirs, dir)
	}
	return dirs
}

func trusted(string) error { return nil }

func TestFind(t *testing.T) {
	later := strings.ReplaceAll(two, "zero", "later")
	for name, c := range map[string]struct {
		files, names []string
		want         string
	}{
		"one":             {[]string{two}, []string{"example.com/gpu=0"}, "ALL=1 GPU=zero"},
		"both":            {[]string{two}, []string{"example.com/gpu=0", "example.com/gpu=1"}, "ALL=1 GPU=one"},
		"later directory": {[]string{two, later}, []string{"example.com/gpu=0"}, "ALL=1 GPU=later"},
		"by path":         {[]string{two}, []string{"/dev/null"}, ""},
		"beside a broken": {[]string{two, "kind: ["}, []string{"example.com/gpu=0"}, "ALL=1 GPU=zero"},
	} {
		found, err := Find(c.names, directories(t, c.files...), trusted)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		add, err := found.Additions(oci.User{}, false)
		if err != nil || strings.Join(add.Process.Env, " ") != c.want {
			t.Errorf("%s: got %v, %v, want %s", name, add.Process.Env, err, c.want)
		}
	}
	if found, err := Find(nil, []string{"/no/such"}, nil); found != nil || err != nil {
		t.Errorf("no names: %v, %v", found, err)
	}
}

// What cannot be found is one line that names a file or the directories.
func TestFindErrors(t *testing.T) {
	distrust := func(string) error { return errors.New("anybody may write it") }
	for name, c := range map[string]struct {
		files   []string
		device  string
		trusted func(string) error
		want    []string
	}{
		"no name":         {nil, "gpu", trusted, []string{`got "gpu"`}},
		"unclean path":    {nil, "/dev/../etc", trusted, []string{`got "/dev/../etc"`}},
		"no directory":    {nil, "example.com/gpu=0", trusted, []string{"/no/such", "there are no CDI specifications"}},
		"unknown device":  {[]string{two}, "example.com/gpu=7", trusted, []string{`device "example.com/gpu=7": no CDI specification in /`}},
		"broken YAML":     {[]string{"kind: ["}, "example.com/gpu=0", trusted, []string{"specification /", "x.yaml: "}},
		"unknown key":     {[]string{strings.Replace(two, "env:", "enw:", 1)}, "example.com/gpu=0", trusted, []string{"x.yaml: ", "enw"}},
		"unknown version": {[]string{strings.Replace(two, "0.6.0", "7.0.0", 1)}, "example.com/gpu=0", trusted, []string{"x.yaml: ", "version"}},
		"not trusted":     {[]string{two}, "example.com/gpu=0", distrust, []string{"x.yaml: anybody may write it"}},
	} {
		dirs := append([]string{"/no/such"}, directories(t, c.files...)...)
		_, err := Find([]string{c.device}, dirs, c.trusted)
		if err == nil {
			t.Errorf("%s: no error", name)
			continue
		}
		for _, want := range c.want {
			if text := err.Error(); !strings.Contains(text, want) || strings.Contains(text, "\n") {
				t.Errorf("%s: %q, want %q on one line", name, text, want)
			}
		}
		if !errors.Is(err, sdk.ErrInvalid) && !errors.Is(err, sdk.ErrUnavailable) {
			t.Errorf("%s: the kind of %v", name, err)
		}
	}
}

// What a runtime would stumble over is said before it starts, with the specification's name.
func TestAdditionsErrors(t *testing.T) {
	device := func(edits string) string {
		return "cdiVersion: \"1.1.0\"\nkind: example.com/gpu\ndevices: [{name: \"0\", containerEdits: {" + edits + "}}]\n"
	}
	for name, c := range map[string]struct {
		edits    string
		rootless bool
		want     string
	}{
		"hook":                 {"hooks: [{hookName: createContainer, path: /no/such}]", true, "/no/such"},
		"mount":                {"mounts: [{hostPath: /no/such, containerPath: /x, options: [ro, bind]}]", false, "/no/such"},
		"node":                 {"deviceNodes: [{path: /dev/no-such}]", false, "/dev/no-such"},
		"node, rootless":       {"deviceNodes: [{path: /dev/no-such}]", true, "/dev/no-such"},
		"no node, rootless":    {"deviceNodes: [{path: /x, hostPath: /etc}]", true, "/etc is not a device node"},
		"network":              {"netDevices: [{hostInterfaceName: eth7, name: eth0}]", true, "only root"},
		"resources of a class": {"intelRdt: {closID: x}", true, "only root"},
	} {
		found, err := Find([]string{"example.com/gpu=0"}, directories(t, device(c.edits)), trusted)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		_, err = found.Additions(oci.User{}, c.rootless)
		if err == nil || !strings.Contains(err.Error(), c.want) || !strings.Contains(err.Error(), "x.yaml: ") || !errors.Is(err, sdk.ErrUnavailable) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
