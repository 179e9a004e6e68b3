package ociruntime

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"
)

// How the tests are started again: in a mount namespace of their own, and as another user.
const (
	privateEnv  = "BERTH_TEST_PRIVATE_MOUNTS"
	programsEnv = "BERTH_TEST_PROGRAMS" // directory of the programs that the tests need
)

func TestMain(m *testing.M) {
	status, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func testMain(m *testing.M) (int, error) {
	if os.Geteuid() == 0 && hybridCgroups("/sys/fs/cgroup") {
		if os.Getenv(privateEnv) == "" {
			return again()
		}
		// In this mount namespace alone, so that crun works. It makes directories there.
		if err := unix.Mount("tmpfs", "/sys/fs/cgroup/unified", "tmpfs", 0, ""); err != nil {
			return 0, fmt.Errorf("hiding the unified cgroup hierarchy: %w", err)
		}
	}
	// Containers whose runtime has ended are ours then, and stay zombies until a test reaps them.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		return 0, fmt.Errorf("becoming a subreaper: %w", err)
	}
	if os.Getenv(programsEnv) != "" {
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "ociruntime-programs-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	if err := os.Chmod(dir, 0o755); err != nil { // another user's tests use them too
		return 0, err
	}
	os.Setenv(programsEnv, dir)
	return m.Run(), nil
}

// again runs the tests in a mount namespace of their own.
func again() (int, error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Env = append(os.Environ(), privateEnv+"=1")
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Unshareflags: syscall.CLONE_NEWNS, Pdeathsig: syscall.SIGKILL}
	err := cmd.Run()
	if exit := new(exec.ExitError); errors.As(err, &exit) {
		return exit.ExitCode(), nil
	}
	return 0, err
}

// program returns the path of a program below testdata, or of one of the drivers, statically built.
func program(t testing.TB, name string) string {
	t.Helper()
	file := filepath.Join(os.Getenv(programsEnv), name)
	if _, err := os.Stat(file); err == nil {
		return file
	}
	source := "./testdata/" + name
	if name == "runc" || name == "crun" {
		source = "../../" + name
	}
	build := exec.Command("go", "build", "-tags", "grpcnotrace", "-o", file, source)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", name, err, out)
	}
	return file
}

// TestOrdinaryUser runs the tests of real containers once more, as a user without privileges.
func TestOrdinaryUser(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("not root: the other tests of real containers run as an ordinary user already")
	}
	account, err := user.Lookup("berthtest")
	if err != nil {
		t.Skip("there is no user berthtest: useradd --create-home berthtest")
	}
	for _, name := range []string{"payload", "runc", "crun"} {
		program(t, name)
	}
	tests := filepath.Join(os.Getenv(programsEnv), "tests")
	if err := copyProgram("/proc/self/exe", tests); err != nil {
		t.Fatal(err)
	}
	uid, _ := strconv.Atoi(account.Uid)
	gid, _ := strconv.Atoi(account.Gid)
	home, err := os.MkdirTemp("", "ociruntime-user-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(home) })
	if err := os.Chown(home, uid, gid); err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(tests, "-test.run=^TestLive", "-test.v")
	cmd.Dir = home
	cmd.Env = []string{"PATH=" + path, "HOME=" + home, "TMPDIR=" + home, programsEnv + "=" + os.Getenv(programsEnv)}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(gid), Groups: []uint32{uint32(gid)}},
		Pdeathsig:  syscall.SIGKILL,
	}
	out, err := cmd.CombinedOutput()
	t.Logf("%s", out)
	if err != nil {
		t.Errorf("as %s: %v", account.Username, err)
	}
}

func copyProgram(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	return errors.Join(err, out.Close())
}
