package slurm

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// call is one call of srun, sbatch, salloc or any other command by the ordinary user.
type call struct {
	args  []string
	env   []string // added to a login's
	stdin io.Reader
}

// result is what came of a call.
type result struct {
	status         int // 128+n for a death by signal n
	stdout, stderr string
}

// running is a call that goes on.
type running struct {
	t        testing.TB
	site     *site
	name     string // of its job, and in the environment of its processes
	cmd      *exec.Cmd
	out, err text
	ended    chan error
	mayLeave bool   // do not check what is left
	asks     bool   // a command that starts no job
	known    string // number of its job; "" while nobody has asked
}

// start starts a call. At the test's end it is over, and so is its job.
func (s *site) start(t testing.TB, c call) *running {
	t.Helper()
	r := s.prepare(t, c)
	r.cmd.Args = append(r.cmd.Args, c.args...)
	r.begin()
	return r
}

// prepare makes a call that is not started, and whose arguments are still to be added.
func (s *site) prepare(t testing.TB, c call) *running {
	s.watch(t)
	r := &running{t: t, site: s, name: "t" + strings.ToLower(rand.Text()[:8]), ended: make(chan error, 1)}
	r.mayLeave = s.leaves
	r.cmd = s.node().Command(context.Background(), cluster.User)
	r.cmd.Env = append(r.cmd.Env, "BERTH_TEST="+r.name,
		"SLURM_JOB_NAME="+r.name, "SBATCH_JOB_NAME="+r.name, "SALLOC_JOB_NAME="+r.name)
	r.cmd.Env = append(r.cmd.Env, c.env...)
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = c.stdin, &r.out, &r.err
	return r
}

func (r *running) begin() {
	r.t.Helper()
	if err := r.cmd.Start(); err != nil {
		r.t.Fatal(err)
	}
	go func() { r.ended <- r.cmd.Wait() }()
	r.t.Cleanup(r.close)
}

// wait waits for the end of the call.
func (r *running) wait() result {
	r.t.Helper()
	r.ended <- await.Value(r.t, func() string {
		return fmt.Sprintf("the end of %q; so far\nstdout: %s\nstderr: %s\n%s", r.cmd.Args, r.out.String(), r.err.String(), r.site.Logs())
	}, r.ended)
	return result{statusOf(r.cmd.ProcessState.Sys().(syscall.WaitStatus)), r.out.String(), r.err.String()}
}

// says waits until the call has written something to stdout.
func (r *running) says(what string) {
	r.t.Helper()
	await.True(r.t, func() string { return "stdout with " + what + ", which is: " + r.out.String() + r.err.String() }, func() bool {
		if len(r.ended) > 0 && !strings.Contains(r.out.String(), what) {
			r.t.Fatalf("%q ended without writing %q: %+v", r.cmd.Args, what, r.wait())
		}
		return strings.Contains(r.out.String(), what)
	})
}

// id is the job's number. It waits until there is a job. Its processes know the number, and asking Slurm costs a
// program each time.
func (r *running) id() string {
	r.t.Helper()
	if r.known != "" {
		return r.known
	}
	for _, p := range processes(r.name) {
		if r.known = variable(p.environ, "SLURM_JOB_ID"); r.known != "" {
			return r.known
		}
	}
	await.True(r.t, func() string { return "a job named " + r.name }, func() bool {
		r.known = strings.Join(r.site.jobsOf(r.t, r.name), " ")
		return r.known != ""
	})
	return r.known
}

// jobsOf are the numbers of the jobs with that name, whatever has become of them.
func (s *site) jobsOf(t testing.TB, name string) []string {
	t.Helper()
	if ids := s.endedJobs(name); len(ids) > 0 {
		return ids
	}
	return strings.Fields(s.asRoot(t, "squeue", "--noheader", "--states=all", "--format=%A", "--name="+name))
}

// endedJobs are the numbers of the jobs with that name that have ended.
func (s *site) endedJobs(name string) (ids []string) {
	for _, job := range s.Ended() {
		if job.Name == name {
			ids = append(ids, job.ID)
		}
	}
	return ids
}

// close ends what a failed test left running, and checks that nothing of the job remains.
func (r *running) close() {
	r.t.Helper()
	s := r.site
	var ids []string
	if !r.asks && (!r.mayLeave || len(r.ended) == 0 || r.t.Failed()) {
		ids = s.jobsOf(r.t, r.name)
	}
	if r.t.Failed() && len(ids) > 0 {
		_, _ = s.node().Output(context.Background(), "root", append([]string{"scancel", "--signal=KILL", "--full"}, ids...)...)
	}
	if len(r.ended) == 0 || r.t.Failed() {
		for _, p := range processes(r.name) {
			_ = syscall.Kill(p.pid, syscall.SIGKILL) // nsenter's death alone would end nothing
		}
	}
	<-r.ended
	if !r.mayLeave {
		s.checkLeft(r.t, r.name, ids)
	}
}

// run makes a call and waits for its end.
func (s *site) run(t testing.TB, args ...string) result {
	t.Helper()
	return s.start(t, call{args: args}).wait()
}

// ok makes a call that has to succeed, and returns its stdout.
func (s *site) ok(t testing.TB, args ...string) string {
	t.Helper()
	r := s.run(t, args...)
	if r.status != 0 || chatter.ReplaceAllString(r.stderr, "") != "" {
		t.Fatalf("%q: status %d, stdout %q, stderr %q", args, r.status, r.stdout, r.stderr)
	}
	return r.stdout
}

// chatter is what srun says where it has to wait for its turn.
var chatter = regexp.MustCompile(`(?m)^srun: job \d+ (queued|has been allocated) .*\n`)

// asRoot runs a command on the node as root. It has to succeed.
func (s *site) asRoot(t testing.TB, args ...string) string {
	t.Helper()
	ctx, cancel := await.Lasting(t)
	defer cancel()
	out, err := s.node().Output(ctx, "root", args...)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func statusOf(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// text is output that is read while it is written.
type text struct {
	sync.Mutex
	b bytes.Buffer
}

func (t *text) Write(p []byte) (int, error) {
	t.Lock()
	defer t.Unlock()
	return t.b.Write(p)
}

func (t *text) String() string {
	t.Lock()
	defer t.Unlock()
	return t.b.String()
}
