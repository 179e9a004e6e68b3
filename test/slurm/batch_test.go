package slurm

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"testing"
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
	r.cmd.Args = append(r.cmd.Args, append([]string{"sbatch", "--quiet", "--output=" + file + ".out", "--error=" + file + ".err"}, c.args...)...)
	r.begin()
	if result := r.wait(); result.status != 0 {
		t.Fatalf("sbatch %q: %+v", c.args, result)
	}
	return &batch{running: r, outPath: s.node().Path(file + ".out"), errPath: s.node().Path(file + ".err")}
}

// result waits for the end of the job: "sbatch --wait" asks every few seconds only.
func (b *batch) result() result {
	b.t.Helper()
	var status int
	eventually(b.t, func() string { return "the end of batch job " + b.id() + b.stdout() + b.stderr() }, func() (ended bool) {
		status, ended = b.site.finished(b.t, b.id())
		return ended
	})
	return result{status, b.stdout(), b.stderr()}
}

func (b *batch) stdout() string { return read(b.outPath) }
func (b *batch) stderr() string { return read(b.errPath) }

// wrote waits until the job's stdout ends with this.
func (b *batch) wrote(what string) {
	b.t.Helper()
	eventually(b.t, func() string { return fmt.Sprintf("%q at the end of %q", what, b.stdout()) }, func() bool {
		return strings.HasSuffix(b.stdout(), what)
	})
}

var exitCode = regexp.MustCompile(`JobState=([A-Z_]+) .*ExitCode=(\d+):(\d+)`)

// finished says whether a job has ended, and with which status.
func (s *site) finished(t testing.TB, id string) (status int, ended bool) {
	t.Helper()
	found := exitCode.FindStringSubmatch(s.asRoot(t, "scontrol", "--oneliner", "show", "job", id))
	if found == nil || found[1] == "PENDING" || found[1] == "RUNNING" || found[1] == "COMPLETING" {
		return 0, false
	}
	status, _ = strconv.Atoi(found[2])
	if signal, _ := strconv.Atoi(found[3]); signal != 0 {
		status = 128 + signal
	}
	return status, true
}
