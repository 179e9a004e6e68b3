package slurm

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// batch is a batch job and the files that it writes.
type batch struct {
	*running
	outPath, errPath string // on this machine
}

// submit submits a batch job with sbatch's arguments.
func (s *site) submit(t testing.TB, c call) *batch {
	t.Helper()
	r := s.prepare(t, c)
	file := "/home/berthtest/" + r.name
	r.cmd.Args = append(r.cmd.Args, append([]string{"sbatch", "--parsable", "--output=" + file + ".out", "--error=" + file + ".err"}, c.args...)...)
	r.begin()
	result := r.wait()
	if result.status != 0 {
		t.Fatalf("sbatch %q: %+v", c.args, result)
	}
	r.known = strings.TrimSpace(result.stdout)
	return &batch{running: r, outPath: s.node().Path(file + ".out"), errPath: s.node().Path(file + ".err")}
}

// result waits for the end of the job: "sbatch --wait" asks every few seconds only.
func (b *batch) result() result {
	b.t.Helper()
	job := b.site.finished(b.running)
	// A job that is cancelled counts as ended at once: its processes write on.
	await.True(b.t, func() string { return "the end of the processes of " + job.ID }, func() bool { return len(processes(b.name)) == 0 })
	return result{job.Status, b.stdout(), b.stderr()}
}

func (b *batch) stdout() string { return read(b.outPath) }
func (b *batch) stderr() string { return read(b.errPath) }

// wrote waits until the job's stdout ends with this.
func (b *batch) wrote(what string) {
	b.t.Helper()
	await.True(b.t, func() string { return fmt.Sprintf("%q at the end of %q", what, b.stdout()) }, func() bool {
		return strings.HasSuffix(b.stdout(), what)
	})
}

// finished waits until a job has ended, and says how.
func (s *site) finished(r *running) (job cluster.Job) {
	r.t.Helper()
	id := r.id()
	await.True(r.t, func() string { return "the end of job " + id + ": " + s.Logs() }, func() bool {
		ended := s.Ended()
		at := slices.IndexFunc(ended, func(j cluster.Job) bool { return j.ID == id })
		if at >= 0 {
			job = ended[at]
		}
		return at >= 0
	})
	return job
}
