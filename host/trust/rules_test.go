package trust

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

func TestWhoseFilesAreTrusted(t *testing.T) {
	const overflow = 65534
	tests := []struct {
		name  string
		rules Rules
		owner int
		want  bool
	}{
		{"root's, by root", Rules{Caller: 0, BuildOwner: -1}, 0, true},
		{"root's, by a user", Rules{Caller: 2000, BuildOwner: -1}, 0, true},
		{"the caller's own", Rules{Caller: 2000, BuildOwner: -1}, 2000, false},
		{"nobody's, seen from the initial namespace", Rules{Caller: 2000, BuildOwner: -1}, overflow, false},
		{"unmapped, seen from a namespace", Rules{Caller: 0, Root: overflow, BuildOwner: -1}, overflow, true},
		{"unmapped, by an unmapped caller", Rules{Caller: overflow, Root: overflow, BuildOwner: -1}, overflow, false},
		{"the build owner's, by the owner", Rules{Caller: 2000, BuildOwner: 2000}, 2000, true},
		{"the build owner's, by another", Rules{Caller: 2001, BuildOwner: 2000}, 2000, false},
		{"the build owner's, by root", Rules{Caller: 0, BuildOwner: 2000}, 2000, false},
		{"another's, in a build tree", Rules{Caller: 2000, BuildOwner: 2000}, 2001, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			if got := test.rules.trusts(test.owner); got != test.want {
				t.Errorf("trusted %v, want %v", got, test.want)
			}
		})
	}
}

// Only in a user namespace does anybody trust a directory that others write, and only a sticky one of his own.
func TestDirectoryOfOnesOwnNamespace(t *testing.T) {
	const overflow = 65534
	for _, test := range []struct {
		name  string
		rules Rules
		st    unix.Stat_t
		want  bool
	}{
		{"rootlesskit's /etc", Rules{Root: overflow}, unix.Stat_t{Mode: unix.S_IFDIR | 0o1777}, true},
		{"not sticky", Rules{Root: overflow}, unix.Stat_t{Mode: unix.S_IFDIR | 0o777}, false},
		{"a file", Rules{Root: overflow}, unix.Stat_t{Mode: unix.S_IFREG | 0o1777}, false},
		{"the node's root's", Rules{Root: overflow}, unix.Stat_t{Mode: unix.S_IFDIR | 0o1777, Uid: overflow}, false},
		{"seen by the node's root", Rules{}, unix.Stat_t{Mode: unix.S_IFDIR | 0o1777}, false},
		{"seen by the user himself, in a further namespace", Rules{Caller: 1000, Root: overflow}, unix.Stat_t{Mode: unix.S_IFDIR | 0o1777, Uid: 1000}, true},
		{"of an unmapped caller", Rules{Caller: overflow, Root: overflow}, unix.Stat_t{Mode: unix.S_IFDIR | 0o1777, Uid: overflow}, false},
		{"seen by another user of the namespace", Rules{Caller: 1000, Root: overflow}, unix.Stat_t{Mode: unix.S_IFDIR | 0o1777}, false},
	} {
		err := test.rules.check("/etc", -1, &test.st)
		if (err == nil) != test.want || err != nil && !errors.Is(err, sdk.ErrUnavailable) {
			t.Errorf("%s: %v", test.name, err)
		}
	}
}

// A build tree is trusted up to what others can write above it.
func TestBuildTree(t *testing.T) {
	needRoot(t)
	base := tree(t)
	path := filepath.Join(base, "site/drivers/berth-driver-x")
	for _, p := range []string{path, filepath.Dir(path)} {
		must(t, os.Chown(p, 2000, 2000))
	}
	f, err := Rules{Caller: 2000, BuildOwner: 2000}.Open(path)
	must(t, err)
	f.Close()
	must(t, os.Chmod(filepath.Join(base, "site"), 0o1777))
	if _, err := (Rules{Caller: 2000, BuildOwner: 2000}).Open(path); !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("below a directory that everybody writes: %v", err)
	}
}

const inNamespace = "BERTH_TEST_TRUST_PATH"

// In a user namespace that does not map root, root's files look like everybody's unmapped ones.
func TestUserNamespace(t *testing.T) {
	if path := os.Getenv(inNamespace); path != "" {
		if SeenRoot() == 0 {
			t.Fatal("root is seen as 0 in a namespace that does not map it")
		}
		f, err := Rules{Caller: os.Geteuid(), Root: SeenRoot(), BuildOwner: -1}.Open(path)
		must(t, err)
		f.Close()
		if _, err := (Rules{Caller: os.Geteuid(), BuildOwner: -1}).Open(path); !errors.Is(err, sdk.ErrUnavailable) {
			t.Errorf("without SeenRoot: %v, want ErrUnavailable", err)
		}
		return
	}
	uid, gid := os.Geteuid(), os.Getegid()
	if uid == 0 {
		uid, gid = 2000, 2000
	}
	cmd := exec.Command("/proc/self/exe", "-test.run=^TestUserNamespace$")
	cmd.Env = append(os.Environ(), inNamespace+"=/etc/passwd")
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: uid, Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{ContainerID: 0, HostID: gid, Size: 1}},
		Credential:  &syscall.Credential{NoSetGroups: true},
	}
	out, err := cmd.CombinedOutput()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Skipf("needs user namespaces: %v", err)
	}
	if err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

func TestSeenRootOfTheInitialNamespace(t *testing.T) {
	m, err := os.ReadFile("/proc/self/uid_map")
	must(t, err)
	if string(m) != "         0          0 4294967295\n" {
		t.Skip("needs to run in the initial user namespace")
	}
	if SeenRoot() != 0 {
		t.Errorf("root is seen as %d", SeenRoot())
	}
}
