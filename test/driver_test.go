package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
)

// furtherSettings is berth.toml for a driver that not every test uses.
func furtherSettings(driver string) string {
	return map[string]string{
		"charliecloud": "[drivers.charliecloud]\n",
		"enroot":       "[drivers.enroot]\nruntime = \"" + filepath.Join(programs, "enroot") + "\"\n",
		"nvidia":       "[drivers.nvidia]\nruntime = \"" + nvidiaRuntime + "\"\nlow_level = \"/usr/bin/runc\"\n",
	}[driver]
}

// nvidiaRuntime is where test/setup puts the real one.
const nvidiaRuntime = "/var/cache/berth-test/nvidia/nvidia-container-runtime"

// furtherSite is a site with one of these drivers.
func furtherSite(t *testing.T, driver, settings string) *site {
	t.Helper()
	need(t, "busybox", "runc", "ch-run")
	if _, err := os.Stat(nvidiaRuntime); err != nil {
		lacking(t, err.Error())
	}
	s := newSite(t)
	s.driver = driver
	s.link(t, "berth-driver-"+driver, "berth-driver-"+driver)
	s.configure(t, furtherSettings(driver)+settings)
	return s
}

// The drivers singularity and enroot pass the kit by the tests beside them: Apptainer is in a root filesystem
// of its own, and enroot may be installed or not.
func TestConformanceOfFurtherDrivers(t *testing.T) {
	for driver, less := range map[string]string{
		"nvidia":       "",
		"charliecloud": "linux.namespaces[0]: ch-run makes no pid namespace\n", // which the kit finds out and says
	} {
		t.Run(driver, func(t *testing.T) {
			if driver == "charliecloud" {
				needUser(t) // root's sees the same: what the driver cannot isolate
			}
			t.Parallel()
			r := furtherSite(t, driver, "").berth(t, "driver", "test", driver)
			if r.status != 0 || !strings.Contains(r.stdout, ", 0 failed, ") || !strings.Contains(r.stdout, ", 0 skipped\n") {
				t.Errorf("status %d, stderr %q:\n%s", r.status, r.stderr, r.stdout)
			}
			if strings.Contains(r.stdout, "isolates less") != (less != "") || !strings.Contains(r.stdout, less) {
				t.Errorf("what it isolates less is not said, or wrong, or too much:\n%s", r.stdout)
			}
		})
	}
}

// task starts a container whose status the returned function waits for.
func (s *site) task(t *testing.T, id, script string) func() int {
	t.Helper()
	cmd := s.command(call{args: []string{"run", "--id", id, s.bundle(t, script)}})
	cmd.Stdin = nil
	check(t, cmd.Start())
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return func() int {
		_ = cmd.Wait() // the status is in ProcessState
		if w := cmd.ProcessState.Sys().(syscall.WaitStatus); w.Signaled() {
			return 128 + int(w.Signal())
		}
		return cmd.ProcessState.ExitCode()
	}
}

// Charliecloud's containers have their state, signals and end by berth's own records.
func TestCharliecloud(t *testing.T) {
	s := furtherSite(t, "charliecloud", "isolation = \"share\"\n")
	if r := s.berth(t, "run", s.bundle(t, "echo $TOKEN; exit 42")); r != (result{status: 42, stdout: s.token + "\n"}) {
		t.Errorf("%+v", r)
	}
	if r := s.berth(t, "run", s.bundle(t, ""), "--", "missing"); r.status != 127 {
		t.Errorf("%+v", r)
	}
	id := s.id()
	task := s.task(t, id, "trap 'exit 5' TERM; echo up >/tmp/up; while :; do sleep 0.1; done")
	s.await(t, id, "running")
	eventually(t, "the trap is set", func() bool { return s.berth(t, "exec", id, "--", "cat", "/tmp/up").stdout == "up\n" })
	if r := s.berth(t, "exec", id, "--", "sh", "-c", "echo $TOKEN; exit 7"); r != (result{status: 7, stdout: s.token + "\n"}) {
		t.Errorf("exec: %+v", r)
	}
	s.ok(t, "kill", id, "TERM")
	if status := task(); status != 5 {
		t.Errorf("status %d instead of the trap's own 5", status)
	}
	s.await(t, id, "stopped")
	s.ok(t, "delete", id)

	id = s.id()
	task = s.task(t, id, "exec sleep 100000")
	s.await(t, id, "running")
	s.ok(t, "delete", "--force", id)
	if status := task(); status != 137 {
		t.Errorf("status %d instead of 137", status)
	}
}

// Without being told to share, berth refuses what ch-run has not, by field and with advice.
func TestCharliecloudRefusesIsolation(t *testing.T) {
	s := furtherSite(t, "charliecloud", "")
	r := s.berth(t, "run", s.bundle(t, ""))
	if r.status != 125 || !strings.Contains(r.stderr, "linux.namespaces[0]: ch-run makes no pid namespace") || !strings.Contains(r.stderr, `isolation = "share"`) {
		t.Errorf("%+v", r)
	}
}

// A GPU, here a device that is none, by a CDI specification in the place that the node's own
// configuration names.
func TestNvidia(t *testing.T) {
	s := furtherSite(t, "nvidia", "mode = \"cdi\"\n")
	spec, err := json.Marshal(object{
		"cdiVersion": "0.6.0", "kind": "nvidia.com/gpu",
		"devices": list{object{"name": "0", "containerEdits": object{"env": list{"GPU=zero"}, "deviceNodes": list{object{"path": "/dev/fuse"}}}}},
	})
	check(t, err)
	s.mkdir(t, "cdi")
	s.write(t, "cdi/nvidia.json", string(spec), 0o644)
	s.write(t, "nvidia.toml", "[nvidia-container-runtime.modes.cdi]\nspec-dirs = [\""+s.path("cdi")+"\"]\ndefault-kind = \"nvidia.com/gpu\"\n", 0o644)
	s.configure(t, furtherSettings("nvidia")+"mode = \"cdi\"\nconfig = \""+s.path("nvidia.toml")+"\"\n")
	bundle := s.bundle(t, "echo $GPU; ls /dev/fuse; exit 3")
	if r := s.berth(t, "run", "--env", "NVIDIA_VISIBLE_DEVICES=0", bundle); r != (result{status: 3, stdout: "zero\n/dev/fuse\n"}) {
		t.Errorf("with a GPU: %+v", r)
	}
	if r := s.berth(t, "run", bundle); r.status != 3 || r.stdout != "\n" {
		t.Errorf("without: %+v", r)
	}
	if r := s.berth(t, "run", "--env", "NVIDIA_VISIBLE_DEVICES=5", bundle); r.status != 125 || r.stdout != "" || !strings.Contains(r.stderr, "nvidia.com/gpu=5") {
		t.Errorf("with one that is not there: %+v", r)
	}
}
