package slurm

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// What Slurm itself refuses, before berth is called: the job fails, the node stays in service.
func TestUnusableBundle(t *testing.T) {
	each(t, func(t *testing.T, s *site) {
		good := s.bundle(t)
		unreadable := s.bundle(t)
		s.asRoot(t, "chmod", "700", unreadable)
		empty := s.bundle(t)
		s.asRoot(t, "rm", empty+"/config.json")
		for name, bundle := range map[string]string{
			"missing": "/srv/bundles/no-such-bundle", "unreadable": unreadable, "without config.json": empty,
			"no JSON": s.rawBundle(t, "{"), "without a root": s.rawBundle(t, "{}"),
		} {
			r := s.run(t, "srun", "--quiet", "--container", bundle, "/bin/echo", "ran")
			if r.status == 0 || r.stdout != "" || r.stderr == "" {
				t.Errorf("%s: got %+v", name, r)
			}
		}
		if out := s.ok(t, "srun", "--container", good, "/bin/echo", "next"); out != "next\n" {
			t.Errorf("the next job: %q", out)
		}
	})
}

// What berth refuses: the job's user sees why. Slurm's part of it is that of TestUnusableNode, with each release.
func TestRefusedBundle(t *testing.T) {
	eachNewest(t, func(t *testing.T, s *site) {
		noRoot := s.bundle(t)
		s.asRoot(t, "rm", "-r", noRoot+"/rootfs")
		for name, c := range map[string]struct {
			bundle string
			env    []string
			word   string
		}{
			"no root filesystem": {noRoot, nil, "rootfs"},
			"hooks": {s.bundle(t, set(list{object{"path": "/bin/touch", "args": list{"touch", "/tmp/pwned"}}}, "hooks", "prestart")),
				nil, "hooks"},
			"an annotation that changes the runtime": {s.bundle(t, set("true", "annotations", "run.oci.keep_original_groups")),
				nil, "run.oci.keep_original_groups"},
			"a relative directory":      {s.bundle(t, set("x", "process", "cwd")), nil, "cwd"},
			"a driver that is not here": {s.bundle(t), []string{"BERTH_DRIVER=nowhere"}, "nowhere"},
			"namespaces of others": {s.bundle(t, set(list{object{"type": "network", "path": "/proc/1/ns/net"}}, "linux", "namespaces")),
				nil, "namespaces"},
		} {
			r := s.start(t, call{args: []string{"srun", "--container", c.bundle, "/bin/echo", "ran"}, env: c.env}).wait()
			refusal(t, name, r, c.word)
		}
		if _, err := os.Stat(s.node().Path("/tmp/pwned")); err == nil {
			t.Error("the hook ran")
		}
	})
}

// refusal checks that a step was refused with status 125, one line of berth's on stderr that has a
// word in it, and at most one of advice.
func refusal(t testing.TB, name string, r result, word string) {
	t.Helper()
	var lines []string
	for _, line := range strings.Split(strings.TrimSpace(r.stderr), "\n") {
		if !strings.HasPrefix(line, "srun: ") {
			lines = append(lines, line)
		}
	}
	good := len(lines) == 1 || len(lines) == 2 && strings.HasPrefix(lines[1], "berth: hint: ")
	if !good || r.status != 125 || r.stdout != "" || !strings.HasPrefix(lines[0], "berth: ") || !strings.Contains(r.stderr, word) {
		t.Errorf("%s: want status 125 and a line about %s, got status %d, stdout %q, stderr\n%s", name, word, r.status, r.stdout, r.stderr)
	}
}

// What is wrong with the node, not with the job.
func TestUnusableNode(t *testing.T) {
	eachOwn(t, plain, func(t *testing.T, s *site) {
		bundle := s.bundle(t)
		try := func(name, word string, spoil, mend func() error) {
			t.Helper()
			if err := spoil(); err != nil {
				t.Fatal(err)
			}
			r := s.run(t, "srun", "--container", bundle, "/bin/echo", "ran")
			if err := mend(); err != nil {
				t.Fatal(err)
			}
			refusal(t, name, r, word)
			if r := s.run(t, "srun", "--container", bundle, "/bin/echo", "ran"); r.status != 0 || r.stdout != "ran\n" {
				t.Errorf("after %s: got %+v", name, r)
			}
		}
		n := s.node()
		good, err := n.ReadFile("/etc/berth/berth.toml")
		if err != nil {
			t.Fatal(err)
		}
		config := func(text string) func() error {
			return func() error { return n.WriteFile("/etc/berth/berth.toml", text, 0o644) }
		}
		try("a broken berth.toml", "berth.toml", config("default_driver = \n"), config(good))
		try("a mistyped key", "default_driver", config("default_drver = \"crun\"\n"), config(good))
		try("a berth.toml that others can write", "berth.toml",
			func() error { return os.Chmod(n.Path("/etc/berth/berth.toml"), 0o666) },
			func() error { return os.Chmod(n.Path("/etc/berth/berth.toml"), 0o644) })
		runtime := "/usr/sbin/runc"
		if s.driver == "crun" {
			runtime = "/usr/bin/crun"
		}
		try("no runtime", filepath.Base(runtime),
			func() error { return os.Rename(n.Path(runtime), n.Path(runtime+".away")) },
			func() error { return os.Rename(n.Path(runtime+".away"), n.Path(runtime)) })
		try("no container directory for users", "/run/berth",
			func() error {
				dirs, _ := filepath.Glob(n.Path("/run/berth/*"))
				for _, dir := range dirs {
					if err := os.RemoveAll(dir); err != nil {
						return err
					}
				}
				return os.Chmod(n.Path("/run/berth"), 0o755)
			},
			func() error { return os.Chmod(n.Path("/run/berth"), 0o1777|os.ModeSticky) })
	})
}
