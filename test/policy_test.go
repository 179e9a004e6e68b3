package test

import (
	"os"
	"path/filepath"
	"testing"
)

// S-44: for each thing that policy refuses, the attack fails in a real container, works where the
// administrator allows it, and gets around the rule in no other way.
func TestPolicy(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		hook := s.write(t, "hook", "#!/bin/sh\ncat >/dev/null\n: >"+s.path("attacked")+"\n", 0o755)
		other := s.write(t, "other", "#!/bin/sh\ncat >/dev/null\n: >"+s.path("attacked")+"\n", 0o755)
		attacked := func() bool {
			_, err := os.Stat(s.path("attacked"))
			_ = os.Remove(s.path("attacked"))
			return err == nil
		}
		secret := s.mkdir(t, "secret")
		put(t, filepath.Join(secret, "file"), "a secret")
		beside := s.mkdir(t, "secret2")
		put(t, filepath.Join(beside, "file"), "another")
		check(t, os.Symlink(secret, filepath.Join(beside, "link")))
		hooks := func(path string) edit {
			return set(list{object{"path": path, "args": list{path}}}, "hooks", "createRuntime")
		}
		mount := func(source string) edit {
			return add(object{"destination": "/tmp", "source": source, "options": list{"rbind", "ro"}}, "mounts")
		}
		const readsIt = "grep -q secret /tmp/file && exit 66; exit 0"
		for name, c := range map[string]struct {
			policy string
			edit   edit
			script string
			word   string // of the refusal; "": it runs
			works  bool   // the attack
		}{
			"hook refused":              {"", hooks(hook), "true", "hooks.createRuntime[0]", false},
			"hook allowed":              {"hooks = [\"" + hook + "\"]", hooks(hook), "true", "", true},
			"hook beside the allowed":   {"hooks = [\"" + hook + "\"]", hooks(other), "true", "hooks.createRuntime[0]", false},
			"hook by a detour":          {"hooks = [\"" + hook + "\"]", hooks(s.dir + "/./hook"), "true", "hooks.createRuntime[0]", false},
			"hook in other letter case": {"", set(list{object{"path": hook}}, "Hooks", "prestart"), "true", "Hooks", false},
			"hook in a new stage":       {"", set(list{object{"path": hook}}, "hooks", "someday"), "true", "hooks.someday", false},
			"any hook":                  {"any_hooks = true", hooks(other), "true", "", true},
			"annotation refused":        {"", set("x", "annotations", "run.oci.handler"), "true", "run.oci.handler", false},
			"annotation allowed":        {"annotations = [\"com.example.\"]", set("x", "annotations", "com.example.a"), "true", "", false},
			"annotation beside":         {"annotations = [\"com.example.\"]", set("x", "annotations", "com.exampleX"), "true", "com.exampleX", false},
			"mount allowed":             {"mount_sources = [\"" + secret + "\", \"" + programs + "/rootfs\"]", mount(secret), readsIt, "", true},
			"mount beside":              {"mount_sources = [\"" + secret + "\", \"" + programs + "/rootfs\"]", mount(beside), readsIt, "mounts[3]", false},
			"mount by a link":           {"mount_sources = [\"" + beside + "\", \"" + programs + "/rootfs\"]", mount(beside + "/link"), readsIt, "mounts[3]", false},
			"mount by dots":             {"mount_sources = [\"" + beside + "\", \"" + programs + "/rootfs\"]", mount(beside + "/../secret"), readsIt, "mounts[3]", false},
			"namespace refused":         {"", set(list{object{"type": "pid"}, object{"type": "mount"}, object{"type": "uts", "path": "/proc/1/ns/uts"}}, "linux", "namespaces"), "true", "linux.namespaces[2].path", false},
			"device refused":            {"", set(list{object{"path": "/dev/null2", "type": "c", "major": 1, "minor": 3}}, "linux", "devices"), "true", "linux.devices[0]", false},
			"listener refused":          {"", set(object{"defaultAction": "SCMP_ACT_ALLOW", "listenerPath": "/tmp/x"}, "linux", "seccomp"), "true", "linux.seccomp.listenerPath", false},
		} {
			t.Run(name, func(t *testing.T) {
				s.configure(t, "[policy]\n"+c.policy+"\n")
				r := s.berth(t, "run", s.bundle(t, c.script, c.edit))
				if worked := attacked() || r.status == 66; worked != c.works {
					t.Errorf("the attack worked: %v; %+v", worked, r)
				}
				if c.word != "" {
					refused(t, r, c.word)
				} else if r.status != 0 && r.status != 66 || r.stderr != "" {
					t.Errorf("%+v", r)
				}
			})
		}
		t.Run("mount by option", func(t *testing.T) {
			s.configure(t, "[policy]\nmount_sources = [\""+beside+"\", \""+programs+"/rootfs\"]\n")
			refused(t, s.berth(t, "run", "--mount", secret+":/tmp", s.bundle(t, readsIt)), secret, "mount_sources")
		})
	})
}

// A site's mistake in one driver's table is no reason to run another driver, as "auto" would where a runtime
// is missing.
func TestAutoStopsAtAMistake(t *testing.T) {
	t.Parallel()
	need(t, "crun", "runc", "busybox")
	s := newSite(t)
	s.configure(t, "[drivers.crun]\nruntim = \"/usr/bin/crun\"\n")
	refused(t, s.berth(t, "run", s.bundle(t, "true")), "berth.toml:2", "runtim")
	s.configure(t, "[drivers.crun]\nruntime = \"/no/such/crun\"\n")
	if r := s.berth(t, "run", s.bundle(t, "exit 3")); r.status != 3 {
		t.Errorf("a runtime that is missing is passed over: %+v", r)
	}
}
