package slurm

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// backend runs a test with berth's driver slurm on clusters of two nodes, of which the first is also where
// the jobs come from. The tests of one cluster run side by side.
func backend(t *testing.T, staging string, f func(t *testing.T, s *site)) {
	needRoot(t)
	t.Parallel()
	for _, r := range chosen(t) {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			f(t, shared(t, r, sharing{release: r.name, driver: "crun", staging: staging}))
		})
	}
}

// backendOwn is backend on clusters that no other test has meanwhile. settings go into [drivers.slurm].
func backendOwn(t *testing.T, o cluster.Options, settings string, f func(t *testing.T, s *site)) {
	needRoot(t)
	t.Parallel()
	for _, r := range chosen(t) {
		t.Run(r.name, func(t *testing.T) {
			t.Parallel()
			o := o
			o.Shared = sharedDir(t)
			o.Config += backendConfig(settings)
			s := lend(t, r, "crun", o)
			t.Cleanup(func() { s.leftInCommon(t) })
			f(t, s)
		})
	}
}

func backendConfig(settings string) string {
	return fmt.Sprintf("[drivers.slurm]\nshared_dir = %q\nshared_paths = [%q]\n%s\n", cluster.Shared, cluster.Shared, settings)
}

// sharedDir makes the directory that all nodes have.
func sharedDir(t testing.TB) string {
	t.Helper()
	dir, err := os.MkdirTemp("/run", "berth-slurm-shared-*") // which outlives nothing
	if err == nil {
		err = os.Chmod(dir, 0o777|os.ModeSticky)
	}
	if err != nil {
		t.Fatal(err)
	}
	return dir
}

// leftInCommon checks that nothing of the driver's is left in the directory that all nodes have.
func (s *site) leftInCommon(t testing.TB) {
	t.Helper()
	var left []string
	for _, path := range s.staged() {
		left = append(left, filepath.Base(path))
	}
	if len(left) > 0 {
		t.Errorf("left in the shared directory: %q", left)
	}
}

// staged lists what the driver has made there.
func (s *site) staged() []string {
	if s.common == "" {
		return nil
	}
	found, _ := filepath.Glob(filepath.Join(s.common, "berth-*"))
	return found
}

// job runs a container as a job of Slurm, called as the test calls it.
func (s *site) job(t testing.TB, c call, bundle string, args ...string) *running {
	t.Helper()
	r := s.prepare(t, call{stdin: c.stdin})
	r.cmd.Args = append(r.cmd.Args, c.args...)
	r.cmd.Args = append(r.cmd.Args, s.berthRun(r, c.env, bundle, args...)...)
	r.begin()
	return r
}

// berthRun is the command line of a container whose job has the name of r, and whose ID it is.
func (s *site) berthRun(r *running, env []string, bundle string, args ...string) []string {
	line := []string{"berth", "run", "--driver", "slurm", "--id", r.name, "--env", "BERTH_TEST", "--env", "BERTH_SLURM_JOB_NAME=" + r.name}
	for _, entry := range env {
		line = append(line, "--env", entry)
	}
	if args == nil {
		return append(line, bundle)
	}
	return slices.Concat(line, []string{bundle, "--"}, args)
}

// berth calls berth about containers.
func (s *site) berth(t testing.TB, args ...string) result {
	t.Helper()
	r := s.prepare(t, call{})
	r.asks = true
	r.cmd.Args = append(append(r.cmd.Args, "berth"), args...)
	r.begin()
	return r.wait()
}

// noJob waits until a container has no job that goes on. One that has had none has none.
func (s *site) noJob(t testing.TB, r *running) {
	t.Helper()
	await.Rarely(t, func() string { return "the end of the job of " + r.name }, func() bool {
		return len(s.endedJobs(r.name)) > 0 || s.asRoot(t, "squeue", "--noheader", "--name="+r.name) == ""
	})
}

// state is what berth says of a container.
func (s *site) state(t testing.TB, id string) string {
	t.Helper()
	r := s.berth(t, "state", id)
	_, rest, _ := strings.Cut(r.stdout, `"status": "`)
	status, _, _ := strings.Cut(rest, `"`)
	return status
}

// over checks that the end of its job has left nothing of a container but a record that says it is dead.
func (s *site) over(t testing.TB, r *running) {
	t.Helper()
	kept, _ := filepath.Glob(s.node().Path("/run/berth/*/" + r.name + "/*/slurm.json"))
	if len(kept) > 0 {
		t.Errorf("%s: the driver has still to do with it", r.name)
	}
	s.deleted(t, r)
}

// deleted checks that a container can be deleted, and that nothing of it and its job is left.
func (s *site) deleted(t testing.TB, r *running) {
	t.Helper()
	if got := s.berth(t, "delete", "--force", r.name); got.status != 0 || got.stderr != "" {
		t.Errorf("delete: %+v", got)
	}
	if got := s.berth(t, "state", r.name); got.status == 0 {
		t.Errorf("there is still a container: %s", got.stdout)
	}
	s.noJob(t, r)
}
