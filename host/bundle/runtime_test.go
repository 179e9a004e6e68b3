package bundle

import (
	"bytes"
	"debug/elf"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	goruntime "runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

// The test program executes itself with this variable to become a runtime: see becomeRuntime.
const becomeVar = "BERTH_TEST_BECOME"

func TestMain(m *testing.M) {
	if who := os.Getenv(becomeVar); who != "" {
		fmt.Fprintln(os.Stderr, becomeRuntime(who))
		os.Exit(125)
	}
	os.Exit(m.Run())
}

// becomeRuntime executes os.Args[1:]. As root it runs in a mount namespace of its own, where it
// takes the cgroup2 tree of a hybrid layout away, which crun refuses, and becomes the user first:
// who is "uid gid group".
func becomeRuntime(who string) error {
	if os.Getuid() == 0 {
		if err := unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return err
		}
		if err := unix.Unmount("/sys/fs/cgroup/unified", 0); err != nil && !errors.Is(err, unix.ENOENT) && !errors.Is(err, unix.EINVAL) {
			return err
		}
		var uid, gid, group int
		if _, err := fmt.Sscan(who, &uid, &gid, &group); err != nil {
			return err
		}
		if err := errors.Join(syscall.Setgroups([]int{group}), syscall.Setgid(gid), syscall.Setuid(uid)); err != nil {
			return err
		}
	}
	return syscall.Exec(os.Args[1], os.Args[1:], []string{"PATH=" + os.Getenv("PATH")})
}

// subject is the ordinary user that runs the containers.
type subject struct {
	caller Caller
	group  int // a supplementary group, -1 for none
}

// findSubject returns the user who runs the tests, or for root one who has subordinate ids.
func findSubject(t *testing.T) subject {
	t.Helper()
	if os.Getuid() != 0 {
		c, err := CurrentCaller()
		if err != nil {
			t.Fatal(err)
		}
		s := subject{caller: c, group: -1}
		for _, g := range c.Groups {
			if g != c.GID {
				s.group = g
			}
		}
		return s
	}
	s := subject{caller: Caller{UID: 54321, GID: 54321, InitialUserns: true}, group: 54322}
	data, _ := os.ReadFile("/etc/subuid")
	for line := range strings.Lines(string(data)) {
		name, _, _ := strings.Cut(line, ":")
		u, err := user.Lookup(name)
		if err != nil || u.Uid == "0" {
			continue
		}
		s.caller.UID, _ = strconv.Atoi(u.Uid)
		s.caller.GID, _ = strconv.Atoi(u.Gid)
		s.caller.SubUIDs = subordinates("/etc/subuid", name, s.caller.UID)
		s.caller.SubGIDs = subordinates("/etc/subgid", name, s.caller.UID)
		break
	}
	return s
}

func staticBusybox(t *testing.T) []byte {
	t.Helper()
	data, err := os.ReadFile("/bin/busybox")
	if err != nil {
		t.Skip("needs /bin/busybox (package busybox-static)")
	}
	program, err := elf.NewFile(bytes.NewReader(data))
	check(t, err)
	for _, p := range program.Progs {
		if p.Type == elf.PT_INTERP {
			t.Skip("needs a static /bin/busybox (package busybox-static): it is linked dynamically")
		}
	}
	return data
}

// scene is a directory with a root file system, a runtime's state and a file for one group only.
func scene(t *testing.T, s subject) string {
	t.Helper()
	busybox := staticBusybox(t)
	dir, err := os.MkdirTemp("", "berth-bundle")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	for _, sub := range []string{"rootfs/bin", "rootfs/dev", "rootfs/proc", "rootfs/sys", "rootfs/data", "rootfs/scratch", "rootfs/grp", "rootfs/home/app", "data", "grp", "rt"} {
		check(t, os.MkdirAll(filepath.Join(dir, sub), 0o755))
	}
	check(t, os.WriteFile(filepath.Join(dir, "rootfs/bin/busybox"), busybox, 0o755))
	for _, applet := range []string{"sh", "cat", "id", "true"} {
		check(t, os.Symlink("busybox", filepath.Join(dir, "rootfs/bin", applet)))
	}
	check(t, os.WriteFile(filepath.Join(dir, "grp/secret"), []byte("for the group"), 0o640))
	check(t, os.Chmod(dir, 0o755))
	if s.group >= 0 {
		check(t, os.Chown(filepath.Join(dir, "grp/secret"), -1, s.group))
	}
	if os.Getuid() == 0 {
		check(t, os.Chown(filepath.Join(dir, "rt"), s.caller.UID, s.caller.GID))
	}
	return dir
}

func check(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// ordinary runs test with every runtime as a subtest of its name, or skips that where the runtime
// cannot work.
func ordinary(t *testing.T, test func(t *testing.T, s subject, runtime string)) {
	s := findSubject(t)
	for _, name := range []string{"runc", "crun"} {
		t.Run(name, func(t *testing.T) {
			runtime, err := exec.LookPath(name)
			if err != nil {
				t.Skipf("needs %s, which is not installed", name)
			}
			if os.Getuid() != 0 {
				if _, err := os.Stat("/sys/fs/cgroup/unified/cgroup.procs"); err == nil && name == "crun" {
					t.Skip("crun refuses the hybrid cgroup layout: needs root, which hides /sys/fs/cgroup/unified from it")
				}
				probe := exec.Command("/proc/self/exe", "-test.run=^$")
				probe.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWUSER}
				if err := probe.Run(); err != nil {
					t.Skipf("needs user namespaces for ordinary users: %v", err)
				}
			}
			test(t, s, runtime)
		})
	}
}

// runAdapted runs the bundle in dir adapted for o and returns what the container wrote.
func runAdapted(t *testing.T, s subject, runtime, dir string, o Options) string {
	t.Helper()
	b, err := Load(dir)
	check(t, err)
	check(t, b.Adapt(o))
	effective := filepath.Join(dir, "effective")
	check(t, os.MkdirAll(effective, 0o755))
	check(t, os.WriteFile(filepath.Join(effective, "config.json"), b.JSON(), 0o644))
	out, stderr, err := become(t, s, runtime, "--root", dir+"/rt", "run", "--bundle", effective, "c1")
	if err != nil {
		t.Fatalf("%s: %v\n%s\n%s", runtime, err, stderr, b.JSON())
	}
	return out
}

func become(t *testing.T, s subject, args ...string) (stdout, stderr string, err error) {
	t.Helper()
	self, err := os.Executable()
	check(t, err)
	cmd := exec.CommandContext(await.Context(t), self, args...)
	cmd.Env = append(slices.Clone(os.Environ()), fmt.Sprintf("%s=%d %d %d", becomeVar, s.caller.UID, s.caller.GID, s.group))
	if os.Getuid() == 0 {
		cmd.SysProcAttr = &syscall.SysProcAttr{Cloneflags: syscall.CLONE_NEWNS}
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err = cmd.Run()
	return out.String(), errs.String(), err
}

// nosuidDirectory returns a directory on a file system mounted nosuid that everybody may enter.
// Root mounts one on dir, in a mount namespace that only this test's thread and children are in.
func nosuidDirectory(t *testing.T, dir string) string {
	t.Helper()
	if os.Getuid() == 0 {
		goruntime.LockOSThread() // never unlocked: the thread and its namespace end with the test
		check(t, unix.Unshare(unix.CLONE_NEWNS|unix.CLONE_FS))
		check(t, unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""))
		check(t, unix.Mount("tmpfs", dir, "tmpfs", unix.MS_NOSUID|unix.MS_NODEV|unix.MS_NODIRATIME, "mode=755"))
		t.Cleanup(func() { check(t, unix.Unmount(dir, 0)) })
		return dir
	}
	for _, dir := range []string{"/dev/shm", "/run", "/run/lock", "/dev/mqueue", "/sys/kernel/security", "/sys", "/proc", "/dev"} {
		var fs unix.Statfs_t
		info, err := os.Stat(dir)
		if err == nil && unix.Statfs(dir, &fs) == nil && fs.Flags&unix.ST_NOSUID != 0 && info.Mode()&0o5 == 0o5 {
			return dir
		}
	}
	t.Skip("needs a file system mounted nosuid, such as /dev/shm")
	return ""
}
