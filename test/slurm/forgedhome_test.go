package slurm

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"
)

// The whole directory of the user is a link, or belongs to somebody else.
func TestForgedHome(t *testing.T) {
	eachOwn(t, plain, func(t *testing.T, s *site) {
		v := s.victim(t)
		precious := filepath.Join(filepath.Dir(v.file), "7.0.0.n1/record")
		if err := s.node().WriteFile(precious, "precious", 0o644); err != nil {
			t.Fatal(err)
		}
		home := s.node().Path(fmt.Sprintf("/run/berth/%d", s.UID()))
		check := func(what string) {
			t.Helper()
			for _, call := range []string{"query", "kill", "delete", "delete"} {
				_, _ = s.callback(t, call, "7")
			}
			v.unharmed(t, what)
			if text, _ := s.node().ReadFile(precious); text != "precious" {
				t.Errorf("%s: root's container directory is touched", what)
			}
		}
		if err := os.Symlink(filepath.Dir(v.file), home); err != nil {
			t.Fatal(err)
		}
		if err := os.Lchown(home, s.UID(), s.GID()); err != nil {
			t.Fatal(err)
		}
		check("the user's directory is a link to root's")
		out := s.ok(t, "srun", "--container", s.bundle(t), "/bin/echo", "ran")
		if out != "ran\n" {
			t.Errorf("a link in the way: %q", out)
		}
		if err := os.Remove(home); err != nil {
			t.Fatal(err)
		}
		if err := os.MkdirAll(home+"/7.0.0.n1", 0o700); err != nil {
			t.Fatal(err)
		}
		check("root owns the directory with the user's name")
		if out := s.ok(t, "srun", "--container", s.bundle(t), "/bin/echo", "ran"); out != "ran\n" {
			t.Errorf("somebody else's directory in the way: %q", out)
		}
	})
}
