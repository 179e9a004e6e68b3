// Package init_test builds berth-init with the machine's C compiler ($CC, or cc) and tests it as a
// program.
package init_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
)

// nobody is whom the tests become, when they run as root, where root may do too much.
const nobody = 65534

func TestMain(m *testing.M) {
	status := m.Run()
	if p, err := programs(); err == nil {
		os.RemoveAll(p.dir)
	}
	os.Exit(status)
}

type paths struct{ dir, init, probe string }

var errNoCompiler = errors.New("no C compiler that links statically")

// programs builds berth-init and the probe, once, where every user can execute them.
var programs = sync.OnceValues(func() (paths, error) {
	dir, err := os.MkdirTemp("", "berth-init-test-")
	if err != nil {
		return paths{}, err
	}
	p := paths{dir, filepath.Join(dir, "berth-init"), filepath.Join(dir, "probe")}
	sources, _ := filepath.Glob("*.c")
	err = errors.Join(os.Chmod(dir, 0o755), compile(p.init, sources...), compile(p.probe, "testdata/probe.c"))
	if err != nil {
		os.RemoveAll(dir)
	}
	return p, err
})

func compile(output string, sources ...string) error {
	cc := os.Getenv("CC")
	if cc == "" {
		cc = "cc"
	}
	if _, err := exec.LookPath(cc); err != nil {
		return fmt.Errorf("%w: %w", errNoCompiler, err)
	}
	args := append([]string{"-std=c11", "-Wall", "-Wextra", "-Werror", "-static", "-Os", "-o", output}, sources...)
	out, err := exec.Command(cc, args...).CombinedOutput()
	if strings.Contains(string(out), "cannot find -lc") {
		return fmt.Errorf("%w: %s", errNoCompiler, out)
	}
	if err != nil {
		return fmt.Errorf("%s: %w\n%s", cc, err, out)
	}
	return nil
}

// need returns the programs, or skips or fails the test for want of them.
func need(t *testing.T) paths {
	t.Helper()
	p, err := programs()
	if errors.Is(err, errNoCompiler) {
		t.Skip(err)
	}
	if err != nil {
		t.Fatal(err)
	}
	return p
}

type result struct {
	status         int // 128+n for death by signal n
	stdout, stderr string
}

// call is one run of berth-init.
type call struct {
	args []string
	env  []string // complete; nil for the test's own
	dir  string
	uid  int // of the caller, where the test is root; 0: its own
	exe  string
}

func (c call) command(t *testing.T) *exec.Cmd {
	t.Helper()
	exe := c.exe
	if exe == "" {
		exe = need(t).init
	}
	cmd := exec.Command(exe, c.args...)
	cmd.Env, cmd.Dir = c.env, c.dir
	cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if c.uid != 0 && os.Geteuid() == 0 {
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uint32(c.uid), Gid: uint32(c.uid)}
	}
	return cmd
}

// run runs berth-init to its end.
func (c call) run(t *testing.T) result {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := c.command(t)
	cmd.Stdout, cmd.Stderr = &stdout, &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	defer killAtEnd(t, cmd)()
	cmd.Wait()
	return result{status(cmd.ProcessState), stdout.String(), stderr.String()}
}

// killAtEnd has a process that hangs end with the test.
func killAtEnd(t *testing.T, cmd *exec.Cmd) (stop func() bool) {
	return context.AfterFunc(await.Context(t), func() { _ = cmd.Process.Kill() })
}

func status(ps *os.ProcessState) int {
	if ws := ps.Sys().(syscall.WaitStatus); ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ps.ExitCode()
}

func run(t *testing.T, args ...string) result {
	t.Helper()
	return call{args: args}.run(t)
}

// openDir returns a directory for one test that every user can reach.
func openDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "berth-init-test-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	if err := os.Chmod(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	return dir
}

// write makes a file, and the directories above it.
func write(t *testing.T, mode os.FileMode, text string, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(text), mode); err != nil {
		t.Fatal(err)
	}
	if err := os.Chmod(file, mode); err != nil {
		t.Fatal(err)
	}
	return file
}

// link puts the probe at a path.
func link(t *testing.T, path ...string) string {
	t.Helper()
	file := filepath.Join(path...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.Symlink(need(t).probe, file); err != nil {
		t.Fatal(err)
	}
	return file
}
