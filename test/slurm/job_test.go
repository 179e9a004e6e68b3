package slurm

import (
	"bytes"
	"context"
	"crypto/rand"
	"io"
	"os/exec"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

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
	mayLeave bool // do not check what is left
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
	r := &running{t: t, site: s, name: "t" + strings.ToLower(rand.Text()[:8]), ended: make(chan error, 1)}
	r.mayLeave = s.leaves
	r.cmd = s.node().Command(context.Background(), cluster.User)
	r.cmd.Env = append(r.cmd.Env, "BERTH_TEST="+r.name,
		"SLURM_JOB_NAME="+r.name, "SBATCH_JOB_NAME="+r.name, "SALLOC_JOB_NAME="+r.name)
	r.cmd.Env = append(r.cmd.Env, c.env...)
	r.cmd.Stdin, r.cmd.Stdout, r.cmd.Stderr = c.stdin, &r.out, &r.err
	r.cmd.WaitDelay = 5 * time.Second
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
	select {
	case err := <-r.ended:
		r.ended <- err
	case <-time.After(2 * patience):
		r.t.Fatalf("%q does not end; so far\nstdout: %s\nstderr: %s\n%s", r.cmd.Args, r.out.String(), r.err.String(), r.site.Logs())
	}
	return result{statusOf(r.cmd.ProcessState.Sys().(syscall.WaitStatus)), r.out.String(), r.err.String()}
}

// says waits until the call has written something to stdout.
func (r *running) says(what string) {
	r.t.Helper()
	eventually(r.t, func() string { return "stdout with " + what + ", which is: " + r.out.String() + r.err.String() }, func() bool {
		if len(r.ended) > 0 && !strings.Contains(r.out.String(), what) {
			r.t.Fatalf("%q ended without writing %q: %+v", r.cmd.Args, what, r.wait())
		}
		return strings.Contains(r.out.String(), what)
	})
}

// id is the job's number. It waits until there is a job.
func (r *running) id() string {
	r.t.Helper()
	return r.site.jobOf(r.t, r.name)
}

func (s *site) jobOf(t testing.TB, name string) (id string) {
	t.Helper()
	eventually(t, func() string { return "a job named " + name }, func() bool {
		id = strings.TrimSpace(s.asRoot(t, "squeue", "--noheader", "--states=all", "--format=%A", "--name="+name))
		return id != ""
	})
	return id
}

// close ends what a failed test left running, and checks that nothing of the job remains.
func (r *running) close() {
	r.t.Helper()
	select {
	case <-r.ended:
	default:
		_ = r.cmd.Process.Kill()
		<-r.ended
	}
	s := r.site
	ids := strings.Fields(s.asRoot(r.t, "squeue", "--noheader", "--states=all", "--format=%A", "--name="+r.name))
	if r.t.Failed() {
		_, _ = s.node().Output(context.Background(), "root", append([]string{"scancel"}, ids...)...)
	}
	if r.mayLeave {
		return
	}
	s.checkLeft(r.t, r.name, ids)
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
	ctx, cancel := context.WithTimeout(context.Background(), patience)
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

// eventually waits until f holds.
func eventually(t testing.TB, what func() string, f func() bool) {
	t.Helper()
	within(t, patience, what, f)
}

// within waits until f holds, for a while.
func within(t testing.TB, while time.Duration, what func() string, f func() bool) {
	t.Helper()
	for end := time.Now().Add(while); time.Now().Before(end); time.Sleep(20 * time.Millisecond) {
		if f() {
			return
		}
	}
	t.Fatalf("waited in vain for %s", what())
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
