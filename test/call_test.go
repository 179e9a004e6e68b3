package test

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

// call is one call of berth.
type call struct {
	args    []string
	program string   // empty: berth
	env     []string // added to the test's own
	stdin   string
	dir     string
	files   []*os.File // descriptors 3 and on
	prefix  []string   // a program that starts berth: strace, prlimit
	attr    *syscall.SysProcAttr
}

// result is what came of a call.
type result struct {
	status         int // 128+n for a death by signal n
	stdout, stderr string
}

// command is the call's process, not yet started.
func (s *site) command(c call) *exec.Cmd {
	argv := append(append(c.prefix, s.path(cmp.Or(c.program, "berth"))), c.args...)
	cmd := exec.Command(argv[0], argv[1:]...)
	cmd.Env = append(os.Environ(), append([]string{"BERTH_TEST=" + s.token, "BERTH_DRIVER=" + s.driver}, c.env...)...)
	cmd.Dir = c.dir
	cmd.ExtraFiles = c.files
	cmd.SysProcAttr = c.attr
	cmd.Stdin = strings.NewReader(c.stdin)
	return cmd
}

// do makes a call and waits for its end, and until nobody has its streams open.
func (s *site) do(t testing.TB, c call) result {
	t.Helper()
	cmd := s.command(c)
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	ctx, cancel := context.WithDeadline(context.Background(), await.End(t)) // clean-ups make calls, too
	defer cancel()
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer context.AfterFunc(ctx, s.kill)()
	err := cmd.Wait()
	if ctx.Err() != nil {
		t.Fatalf("berth %q does not end; so far\nstdout: %s\nstderr: %s", c.args, &out, &errs)
	}
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		t.Fatalf("berth %q: %v", c.args, err)
	}
	return result{statusOf(cmd.ProcessState), out.String(), errs.String()}
}

func statusOf(p *os.ProcessState) int {
	if ws := p.Sys().(syscall.WaitStatus); ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return p.ExitCode()
}

// berth makes a call with these arguments.
func (s *site) berth(t testing.TB, args ...string) result {
	t.Helper()
	return s.do(t, call{args: args})
}

// ok makes a call that has to succeed, and returns its stdout.
func (s *site) ok(t testing.TB, args ...string) string {
	t.Helper()
	r := s.berth(t, args...)
	if r.status != 0 || r.stderr != "" {
		t.Fatalf("berth %q: status %d, stderr %q", args, r.status, r.stderr)
	}
	return r.stdout
}

// refused checks a refusal: status 125, nothing on stdout, one line on stderr that has each of
// words in it, and at most one more of advice.
func refused(t testing.TB, r result, words ...string) {
	t.Helper()
	if r.status != 125 {
		t.Errorf("status %d, want 125; stdout %q, stderr %q", r.status, r.stdout, r.stderr)
		return
	}
	if r.stdout != "" {
		t.Errorf("stdout %q, want nothing", r.stdout)
	}
	lines := strings.SplitAfter(r.stderr, "\n")
	lines = lines[:len(lines)-1]
	switch {
	case len(lines) == 0 || len(lines) > 2 || !strings.HasSuffix(r.stderr, "\n"):
		t.Errorf("stderr is not one line and one of advice:\n%s", r.stderr)
	case !strings.HasPrefix(lines[0], "berth: ") || strings.HasPrefix(lines[0], "berth: hint:"):
		t.Errorf("the first line does not begin with berth's name:\n%s", r.stderr)
	case len(lines) == 2 && !strings.HasPrefix(lines[1], "berth: hint: "):
		t.Errorf("the second line is no advice:\n%s", r.stderr)
	case len(lines[0]) > 9000:
		t.Errorf("the line has %d bytes", len(lines[0]))
	}
	for _, word := range words {
		if !strings.Contains(r.stderr, word) {
			t.Errorf("stderr does not have %q:\n%s", word, r.stderr)
		}
	}
}

// kill ends every process of the site.
func (s *site) kill() {
	for _, pid := range s.processes() {
		_ = unix.Kill(pid, unix.SIGKILL)
	}
}

// eventually waits until f holds.
func eventually(t testing.TB, what string, f func() bool) {
	t.Helper()
	await.True(t, func() string { return what }, f)
}

// oneLineAbout says whether text is one line that has word in it.
func oneLineAbout(text, word string) bool {
	return strings.Count(text, "\n") == 1 && strings.HasSuffix(text, "\n") && strings.Contains(text, word)
}

// appending opens a file that several processes write.
func appending(t testing.TB, file string) *os.File {
	t.Helper()
	f, err := os.OpenFile(file, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		t.Fatal(err)
	}
	return f
}
