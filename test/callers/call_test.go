package callers

import (
	"bytes"
	"context"
	"crypto/rand"
	"fmt"
	"io"
	"os/exec"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
)

// call is one call of podman or docker.
type call struct {
	args  []string
	env   []string
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
	cmd      *exec.Cmd
	out, err output
	ended    chan error
}

// newToken makes up a name that nothing else on the machine has.
func newToken() string { return "t" + strings.ToLower(rand.Text()[:10]) }

// as prepares a command of a user of the node, in a login's environment.
func (n *node) as(t testing.TB, who string, env []string, args ...string) *running {
	r := &running{t: t, ended: make(chan error, 1)}
	r.cmd = n.Command(context.Background(), who, args...)
	// /usr/local/bin comes last: what somebody has put there is not what is tested.
	r.cmd.Env = append(r.cmd.Env, "PATH=/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin",
		"PODMAN_IGNORE_CGROUPSV1_WARNING=yes")
	if who != "root" {
		r.cmd.Env = append(r.cmd.Env, "XDG_RUNTIME_DIR="+n.runtimeDir())
	}
	r.cmd.Env = append(r.cmd.Env, env...)
	r.cmd.Stdout, r.cmd.Stderr = &r.out, &r.err
	return r
}

func (r *running) begin() *running {
	r.t.Helper()
	check(r.t, r.cmd.Start())
	go func() { r.ended <- r.cmd.Wait() }()
	r.t.Cleanup(func() {
		if len(r.ended) == 0 {
			kill(r.cmd.Process.Pid)
			<-r.ended
		}
	})
	return r
}

// wait waits for the end of the call.
func (r *running) wait() result {
	r.t.Helper()
	r.ended <- await.Value(r.t, func() string {
		return fmt.Sprintf("the end of %q; so far\nstdout: %s\nstderr: %s", r.cmd.Args, r.out.String(), r.err.String())
	}, r.ended)
	status := r.cmd.ProcessState.ExitCode()
	if ws := r.cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		status = 128 + int(ws.Signal())
	}
	return result{status, r.out.String(), r.err.String()}
}

// kill kills a process and those that it has started: nsenter's death alone would end nothing.
func kill(pid int) {
	for _, child := range children(pid) {
		kill(child)
	}
	_ = syscall.Kill(pid, syscall.SIGKILL)
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

// output is what is read while it is written.
type output struct {
	sync.Mutex
	b bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.Lock()
	defer o.Unlock()
	return o.b.Write(p)
}

func (o *output) String() string {
	o.Lock()
	defer o.Unlock()
	return o.b.String()
}
