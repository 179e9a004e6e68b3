package slurm

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
)

// As an engine calls it: created, started and deleted by berth-oci, with an anchor in between. Engines of an
// ordinary user have a user namespace, where they and berth-oci are root, and Slurm knows no such root.
func TestBackendByOCI(t *testing.T) {
	backend(t, "none", func(t *testing.T, s *site) {
		s.byOCI(t)
		s.byOCI(t, "unshare", "--user", "--map-root-user")
	})
}

// byOCI has a container as an engine would, called by way of what prefix says.
func (s *site) byOCI(t *testing.T, prefix ...string) {
	r := s.prepare(t, call{})
	id := r.name
	bundle := s.bundle(t, set(list{"PATH=/bin", "BERTH_TEST=" + id, "BERTH_SLURM_JOB_NAME=" + id}, "process", "env"),
		set(list{"sh", "-c", "echo ready; exec sleep 100000"}, "process", "args"))
	oci := func(args ...string) result {
		c := s.prepare(t, call{})
		c.mayLeave = true
		c.cmd.Args = slices.Concat(c.cmd.Args, prefix, []string{"berth-oci", "--driver", "slurm"}, args)
		c.begin()
		return c.wait()
	}
	state := func(want string) {
		t.Helper()
		await.Rarely(t, func() string { return "the state " + want }, func() bool { return strings.Contains(oci("state", id).stdout, `"status": "`+want+`"`) })
	}
	r.cmd.Args = slices.Concat(r.cmd.Args, prefix, []string{"berth-oci", "--driver", "slurm", "create", "--bundle", bundle, id})
	out, err := os.OpenFile(filepath.Join(t.TempDir(), "out"), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600) // the container's, too: no pipe that stays open
	if err != nil {
		t.Fatal(err)
	}
	defer out.Close()
	r.cmd.Stdout, r.cmd.Stderr = out, nil
	r.begin()
	if got := r.wait(); got.status != 0 {
		t.Fatalf("create: %+v", got)
	}
	state("created")
	if found := s.asRoot(t, "squeue", "--noheader", "--name="+id); found != "" {
		t.Errorf("there is a job already: %s", found)
	}
	if got := oci("start", id); got.status != 0 {
		t.Errorf("start: %+v", got)
	}
	state("running")
	await.True(t, func() string { return "its program" }, func() bool { return read(out.Name()) == "ready\n" })
	if got := oci("kill", id, "15"); got.status != 0 {
		t.Errorf("kill: %+v", got)
	}
	state("stopped")
	if got := oci("delete", id); got.status != 0 {
		t.Errorf("delete: %+v", got)
	}
	if got := oci("delete", "--force", id); got.status != 0 || got.stderr != "" {
		t.Errorf("delete again: %+v", got)
	}
	if left, _ := filepath.Glob(s.node().Path("/run/berth/*/" + id)); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}
