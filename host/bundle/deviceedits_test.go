package bundle

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/host/cdi"
	"github.com/berth-hpc/berth/internal/golden"
)

// everything has each kind of edit that an ordinary user's container can have; rootOnly has the others.
const (
	everything = `cdiVersion: "0.7.0"
kind: example.com/gpu
containerEdits:
  env: [TERM=all, NEW=1]
  hooks: [{hookName: createContainer, path: BUNDLE/init, args: [init, update], env: [A=b], timeout: 5}]
devices:
- name: "0"
  containerEdits:
    env: [NEW=2]
    additionalGids: [44]
    deviceNodes: [{path: /dev/null, permissions: rw}, {path: /dev/gpu0, hostPath: /dev/zero}]
    mounts: [{hostPath: BUNDLE/data, containerPath: /dev/shm, options: [ro, nosuid, bind]}, {hostPath: tmpfs, containerPath: /run, type: tmpfs}]
    hooks: [{hookName: poststop, path: BUNDLE/init}]
`
	rootOnly = `cdiVersion: "1.1.0"
kind: example.com/net
devices:
- name: "0"
  containerEdits:
    netDevices: [{hostInterfaceName: ib7, name: ib0}]
    intelRdt: {closID: gpu}
`
)

func findDevices(t *testing.T, dir string, names ...string) *cdi.Devices {
	t.Helper()
	specs := t.TempDir()
	for name, text := range map[string]string{"gpu.yaml": everything, "net.yaml": rootOnly} {
		if err := os.WriteFile(filepath.Join(specs, name), []byte(strings.ReplaceAll(text, "BUNDLE", dir)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	found, err := cdi.Find(names, []string{specs}, trusted)
	if err != nil {
		t.Fatal(err)
	}
	return found
}

// TestGoldenDevices adds every edit that CDI knows to a bundle that has an annotation of CDI's, hooks and
// mounts of its own, and keys that nobody knows.
func TestGoldenDevices(t *testing.T) {
	for name, devices := range map[string][]string{
		"user": {"example.com/gpu=0", "/dev/full"},
		"root": {"example.com/gpu=0", "/dev/full", "example.com/net=0"},
	} {
		dir := write(t, "stock")
		config := filepath.Join(dir, "config.json")
		text, err := os.ReadFile(config)
		if err != nil {
			t.Fatal(err)
		}
		own := `{"annotations": {"cdi.k8s.io/x": "example.com/gpu=0"}, "hooks": {"poststop": [{"path": "/own", "someday": 1}]}, "someday": {"a": 1.50},`
		if err := os.WriteFile(config, []byte(strings.Replace(string(text), "{", own, 1)), 0o644); err != nil {
			t.Fatal(err)
		}
		o := callers()[name]
		o.Env = []string{"NEW=option"}
		o.Devices = findDevices(t, dir, devices...)
		golden.Check(t, "testdata/golden/devices."+name+".txt", adaptText(t, dir, o))
	}
}

// TestDevices reads the devices of annotations, and refuses those that are no names.
func TestDevices(t *testing.T) {
	for annotations, want := range map[string]string{
		`{}`: "",
		`{"org.berth.devices": "/dev/fuse,example.com/gpu=0"}`:     "/dev/fuse example.com/gpu=0",
		`{"cdi.k8s.io/a_b": "example.com/gpu=1"}`:                  "example.com/gpu=1",
		`{"cdi.k8s.iox/a": "?", "org.berth.devices.x": "?"}`:       "",
		`{"org.berth.devices": "gpu0"}`:                            `config.json:1:62: annotations["org.berth.devices"] is wrong: expected a device`,
		`{"cdi.k8s.io/a": "example.com/gpu=1, example.com/gpu=2"}`: `annotations["cdi.k8s.io/a"] is wrong: expected a device`,
		`{"org.berth.devices": ""}`:                                `annotations["org.berth.devices"] is wrong`,
	} {
		b, err := Load(writeText(t, `{"ociVersion": "1.0.0", "annotations": `+annotations+`}`))
		if err != nil {
			t.Fatal(err)
		}
		names, err := b.Devices()
		if got := strings.Join(names, " "); err == nil && got != want || err != nil && (want == "" || !strings.Contains(err.Error(), want)) {
			t.Errorf("%s: got %q, %v, want %q", annotations, got, err, want)
		}
	}
}

func TestJudgeDevices(t *testing.T) {
	p := Policy{Devices: []string{"/dev/fuse", "example.com/gpu=*"}}
	for name, allowed := range map[string]bool{
		"/dev/fuse": true, "/dev/kvm": false, "example.com/gpu=0": true, "example.com/gpu=all": true, "example.com/gpux=0": false, "other.com/gpu=0": false,
	} {
		if err := p.JudgeDevices([]string{name}); (err == nil) != allowed {
			t.Errorf("%s: %v", name, err)
		}
	}
	wantRefused(t, Policy{}.JudgeDevices([]string{"/dev/fuse"}), `device "/dev/fuse" is not allowed`)
}
