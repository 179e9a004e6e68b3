package oci

import (
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/berth-hpc/berth/internal/await"
)

// box is where a case is played in one of the two ways, and what came of it.
type box struct {
	t       testing.TB
	command []string // the runtime, bare or with berth-oci in front
	runtime string   // its name
	dir     string
	id      string // of the container, and part of the names of all others
	said    strings.Builder
	names   []string // what stands in the record for what, in turn: name, word
	edits   []edit   // of the bundle
	calls   int      // so far
}

// newBox makes a box. When the test ends, nothing may be left of its containers.
func newBox(t testing.TB, runtime string, command ...string) *box {
	t.Helper()
	b := &box{t: t, command: command, runtime: runtime, id: "d" + strings.ToLower(rand.Text()[:12])}
	b.dir = filepath.Join(programs, b.id+".dir")
	b.check(os.MkdirAll(b.path("root"), 0o755))
	b.check(os.Chmod(b.path("root"), 0o711))
	b.called(b.dir, "$DIR")
	b.called(b.id, "$ID")
	t.Cleanup(b.close)
	return b
}

func (b *box) path(name string) string { return filepath.Join(b.dir, name) }

func (b *box) check(err error) {
	if err != nil {
		b.t.Helper()
		b.t.Fatal(err)
	}
}

// call is one call of a runtime.
type call struct {
	global []string // options in front of the subcommand, besides --root
	args   []string
	env    []string // the complete environment; nil stands for the test's own
	dir    string
	stdin  *os.File
	files  []*os.File // descriptors 3 and on
	noRoot bool       // without --root
	prefix []string   // a program that starts the runtime
	attr   *syscall.SysProcAttr
	output *os.File // instead of the files of stdout and stderr
}

// result is what came of a call.
type result struct {
	status         int // 128+n for a death by signal n
	stdout, stderr string
}

// do makes a call and waits for its end.
func (b *box) do(c call) result {
	b.t.Helper()
	cmd, out, errs := b.start(c)
	return result{b.wait(cmd), b.content(out), b.content(errs)}
}

// start starts a call whose output goes to files: a pipe would be held open by the container.
func (b *box) start(c call) (cmd *exec.Cmd, stdout, stderr *os.File) {
	b.t.Helper()
	global := c.global
	if !c.noRoot {
		global = append([]string{"--root", b.path("root")}, global...)
	}
	argv := slices.Concat(c.prefix, b.command, global, c.args)
	cmd = exec.Command(argv[0], argv[1:]...)
	b.calls++
	stdout, stderr = b.temp("stdout"), b.temp("stderr")
	// Not /dev/null: runtimes give standard input to the container's user.
	stdin := b.temp("stdin")
	defer stdin.Close()
	cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = stdin, stdout, stderr, c.files
	if c.stdin != nil {
		cmd.Stdin = c.stdin
	}
	if c.output != nil {
		cmd.Stdout, cmd.Stderr = c.output, c.output
	}
	cmd.Env, cmd.Dir, cmd.SysProcAttr = c.env, c.dir, c.attr
	if cmd.Dir == "" {
		cmd.Dir = b.dir
	}
	b.check(cmd.Start())
	return cmd, stdout, stderr
}

func (b *box) temp(name string) *os.File {
	f, err := os.OpenFile(b.path(fmt.Sprintf("%s-%d", name, b.calls)), os.O_RDWR|os.O_CREATE|os.O_TRUNC|os.O_APPEND, 0o666)
	b.check(err)
	return f
}

func (b *box) content(f *os.File) string {
	defer f.Close()
	text, err := os.ReadFile(f.Name())
	b.check(err)
	return string(text)
}

func (b *box) wait(cmd *exec.Cmd) int {
	b.t.Helper()
	timer := time.AfterFunc(time.Until(await.End(b.t)), func() { _ = cmd.Process.Kill() })
	err := cmd.Wait()
	if !timer.Stop() {
		b.t.Fatalf("%q does not end; so far\n%s", cmd.Args, b.said.String())
	}
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		b.t.Fatalf("%q: %v", cmd.Args, err)
	}
	return statusOf(cmd.ProcessState.Sys().(syscall.WaitStatus))
}

func statusOf(ws syscall.WaitStatus) int {
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// reap waits for the end of the process in a pid file, as an engine's monitor does, and returns its
// exit status. It is a child of this process as soon as the runtime has ended.
func (b *box) reap(pidFile string) int {
	b.t.Helper()
	pid, err := strconv.Atoi(strings.TrimSpace(read(pidFile)))
	b.check(err)
	var ws syscall.WaitStatus
	b.eventually(fmt.Sprintf("end of process %d of %s", pid, pidFile), func() bool {
		got, err := syscall.Wait4(pid, &ws, syscall.WNOHANG, nil)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			b.t.Fatalf("waiting for %d: %v; so far\n%s", pid, err, b.said.String())
		}
		return got == pid
	})
	return statusOf(ws)
}

// eventually waits until f holds.
func (b *box) eventually(what string, f func() bool) {
	b.t.Helper()
	await.True(b.t, func() string { return fmt.Sprintf("%s; so far\n%s", what, b.said.String()) }, f)
}

// read is the content of a file, or nothing.
func read(path string) string {
	text, _ := os.ReadFile(path)
	return string(text)
}

// tidy removes the container of a case that has not come to its end. What is left of one that was run in
// the foreground, berth-oci removes at the next call.
func (b *box) tidy() {
	for _, args := range [][]string{{"list"}, {"delete", "--force", b.id}} {
		if len(b.left()) > 0 {
			_ = exec.Command(b.command[0], slices.Concat(b.command[1:], []string{"--root", b.path("root")}, args)...).Run()
		}
	}
}

func (b *box) close() {
	if len(b.left()) > 0 {
		b.tidy()
	}
	b.checkLeft()
	if err := os.RemoveAll(b.dir); err != nil {
		b.t.Error(err)
	}
}
