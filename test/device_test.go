package test

import (
	"encoding/json"
	"os"
	"strings"
	"testing"
)

// cdi writes a CDI specification with one device, example.com/gpu=0, that has everything a GPU has: a
// variable, a node, which is /dev/zero, a file, and a hook that leaves the file "hooked" in the site.
func (s *site) cdi(t *testing.T) {
	t.Helper()
	hook := s.write(t, "hook", "#!/bin/sh\ncat >/dev/null\necho $1 $GPU_HOOK >"+s.path("hooked")+"\n", 0o755)
	library := s.write(t, "libgpu.so", "a library\n", 0o644)
	spec, err := json.Marshal(object{
		"cdiVersion": "0.6.0", "kind": "example.com/gpu",
		"containerEdits": object{"hooks": list{object{
			"hookName": "createRuntime", "path": hook, "args": list{hook, "update"}, "env": list{"GPU_HOOK=on"},
		}}},
		"devices": list{object{"name": "0", "containerEdits": object{
			"env":         list{"GPU=zero"},
			"deviceNodes": list{object{"path": "/dev/gpu0", "hostPath": "/dev/zero"}},
			"mounts":      list{object{"hostPath": library, "containerPath": "/tmp/libgpu.so", "options": list{"ro", "nosuid", "nodev", "bind"}}},
		}}},
	})
	check(t, err)
	s.mkdir(t, "cdi")
	s.write(t, "cdi/gpu.json", string(spec), 0o644)
}

// useGPU proves in a container that the device of site.cdi is there.
const useGPU = "echo $GPU; head -c 3 /dev/gpu0 | wc -c; cat /tmp/libgpu.so; exit 7"

// However a device is asked for, all of it arrives in the container, whose status is the program's own.
func TestDevices(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		s.cdi(t)
		dirs := "cdi_dirs = [\"" + s.path("cdi") + "\"]\n"
		const allowed = "[policy]\ndevices = [\"example.com/gpu=*\"]\n"
		for name, c := range map[string]struct {
			config string
			args   []string
			edits  []edit
			env    string
		}{
			"option":           {dirs + allowed, []string{"--device", "example.com/gpu=0"}, nil, ""},
			"berth.toml":       {dirs + "devices = [\"example.com/gpu=0\"]\n", nil, nil, ""},
			"asked for twice":  {dirs + "devices = [\"example.com/gpu=0\"]\n", []string{"--device", "example.com/gpu=0"}, nil, ""},
			"rule":             {dirs + "[[rules]]\ndriver = \"" + s.driver + "\"\ndevices = [\"example.com/gpu=0\"]\n", nil, nil, ""},
			"annotation":       {dirs + allowed, nil, []edit{set("example.com/gpu=0", "annotations", "org.berth.devices")}, ""},
			"environment":      {dirs + allowed, nil, nil, "BERTH_DEVICES=example.com/gpu=0"},
			"CDI's annotation": {dirs + allowed, nil, []edit{set("example.com/gpu=0", "annotations", "cdi.k8s.io/test")}, ""},
			"task of a launch": {dirs + allowed, []string{"-n", "1", "--device", "example.com/gpu=0"}, nil, ""},
		} {
			s.configure(t, c.config)
			_ = os.Remove(s.path("hooked"))
			r := s.do(t, call{args: append(append([]string{"run"}, c.args...), s.bundle(t, useGPU, c.edits...)), env: strings.Fields(c.env)})
			if r != (result{status: 7, stdout: "zero\n3\na library\n"}) {
				t.Errorf("%s: %+v", name, r)
			}
			if got := read(s.path("hooked")); got != "update on\n" {
				t.Errorf("%s: the hook left %q", name, got)
			}
		}
		s.configure(t, dirs)
		if r := s.berth(t, "run", s.bundle(t, "echo $GPU; ls /dev/gpu0")); r.status != 1 || r.stdout != "\n" {
			t.Errorf("without: %+v", r)
		}
	})
}

// A container that is created has its devices, too, and so has one that asks for a node by its path.
func TestDevicesOfCreate(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		s.cdi(t)
		s.configure(t, "cdi_dirs = [\""+s.path("cdi")+"\"]\n[policy]\ndevices = [\"example.com/gpu=0\", \"/dev/fuse\"]\n")
		id := s.id()
		s.create(t, id, "test $GPU = zero && : >/dev/gpu0 && sleep 100000", "--device", "example.com/gpu=0")
		s.ok(t, "start", id)
		s.await(t, id, "running")
		if out := s.ok(t, "exec", id, "--", "head", "-c", "2", "/dev/gpu0"); out != "\x00\x00" {
			t.Errorf("the device gives %q", out)
		}
		s.ok(t, "delete", "--force", id)
		if r := s.berth(t, "run", "--device", "/dev/fuse", s.bundle(t, "exec 3<>/dev/fuse; exit 3")); r != (result{status: 3}) {
			t.Errorf("by path: %+v", r)
		}
	})
}

// What cannot be given is refused before anything starts, in one line that says where to look.
func TestDevicesRefused(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		s.cdi(t)
		s.mkdir(t, "broken")
		s.write(t, "broken/gpu.yaml", "kind: [\n", 0o644)
		s.mkdir(t, "others")
		s.write(t, "others/gpu.json", read(s.path("cdi/gpu.json")), 0o666)
		for name, c := range map[string]struct {
			dir, policy, device, want string
		}{
			"policy":            {"cdi", "", "example.com/gpu=0", `device "example.com/gpu=0" is not allowed`},
			"unknown":           {"cdi", "example.com/gpu=*", "example.com/gpu=5", "no CDI specification in " + s.path("cdi")},
			"no name":           {"cdi", "*", "gpu", `got "gpu"`},
			"no directory":      {"nowhere", "example.com/gpu=*", "example.com/gpu=0", "no directory " + s.path("nowhere")},
			"broken":            {"broken", "example.com/gpu=*", "example.com/gpu=0", s.path("broken/gpu.yaml") + ": "},
			"written by others": {"others", "example.com/gpu=*", "example.com/gpu=0", s.path("others/gpu.json") + "\" is not trusted"},
			"no such node":      {"cdi", "/dev/*", "/dev/no-such", "/dev/no-such"},
		} {
			s.configure(t, "cdi_dirs = [\""+s.path(c.dir)+"\"]\n[policy]\ndevices = [\""+c.policy+"\"]\n")
			if c.policy == "" {
				s.configure(t, "cdi_dirs = [\""+s.path(c.dir)+"\"]\n")
			}
			r := s.berth(t, "run", "--device", c.device, s.bundle(t, "echo ran"))
			lines := strings.Count(r.stderr, "\n")
			if r.status != 125 || r.stdout != "" || !strings.Contains(r.stderr, c.want) || lines > 2 {
				t.Errorf("%s: %+v", name, r)
			}
		}
		for value, want := range map[string]string{
			"example.com/gpu=0": `device "example.com/gpu=0" is not allowed`, "example.com/gpu=0,gpu": `BERTH_DEVICES: `,
		} {
			s.configure(t, "cdi_dirs = [\""+s.path("cdi")+"\"]\n")
			r := s.do(t, call{args: []string{"run", s.bundle(t, "echo ran")}, env: []string{"BERTH_DEVICES=" + value}})
			if r.status != 125 || r.stdout != "" || !strings.Contains(r.stderr, want) {
				t.Errorf("BERTH_DEVICES=%s: %+v", value, r)
			}
		}
		if read(s.path("hooked")) != "" {
			t.Error("the hook of a refused container ran")
		}
	})
}
