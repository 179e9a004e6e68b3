package drivertest

import (
	"errors"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

func appliedFileCases() []Case {
	return []Case{
		{"applied/read-only-root",
			"Nothing can be written into the root file system where config.json says readonly, and else something can.",
			"A job that changes the image which all others use.",
			(*trial).appliedReadonlyRoot},
		{"applied/mount-options",
			"ro, nosuid, nodev and noexec, each alone and all together, hold for bind mounts and for a tmpfs, or are refused as unsupported.",
			"A bind mount that takes flags only when it is mounted a second time, so that ro has no effect.",
			(*trial).appliedMountOptions},
		{"applied/masked-paths",
			"A masked file has nothing in it and a masked directory is empty; what does not exist is no error.",
			"runc before CVE-2025-31133 masks with whatever a container has put in the place of /dev/null.",
			(*trial).appliedMaskedPaths},
		{"applied/read-only-paths",
			"Nothing can be written to read-only paths, of files, directories and /proc; what does not exist is no error.",
			"A container that sets the node's kernel parameters through /proc/sys.",
			(*trial).appliedReadonlyPaths},
	}
}

func (t *trial) appliedReadonlyRoot() {
	for _, readonly := range []bool{true, false} {
		want := unix.Errno(0)
		if readonly {
			want = unix.EROFS
		}
		_, r := t.appliedReport([]string{"/"}, func(spec *specs.Spec) { spec.Root.Readonly = readonly })
		if got := r.Paths["/"].Write; got != want {
			t.Errorf("readonly %v: making a file in / ends with %q instead of %q", readonly, got, want)
		}
	}
}

// flagOf are the flags of a mount for options of config.json: statvfs(3).
var flagOf = map[string]int64{"ro": unix.ST_RDONLY, "nosuid": unix.ST_NOSUID, "nodev": unix.ST_NODEV, "noexec": unix.ST_NOEXEC}

func (t *trial) appliedMountOptions() {
	refused := 0
	sets := [][]string{{"ro"}, {"nosuid"}, {"nodev"}, {"noexec"}, {"ro", "nosuid", "nodev", "noexec"}}
	for _, options := range sets {
		both := []specs.Mount{
			{Destination: "/work dir", Type: "bind", Source: t.dir, Options: append([]string{"bind"}, options...)},
			{Destination: "/tmp", Type: "tmpfs", Source: "tmpfs", Options: options},
		}
		if t.mountsHold(options, both...) {
			continue
		}
		for _, mount := range both {
			if !t.mountsHold(options, mount) {
				t.Notef("refused: a %s with %s", mount.Type, strings.Join(options, ","))
				refused++
			}
		}
	}
	if refused == 2*len(sets) {
		t.Lacks("every option is refused")
	}
}

// mountsHold checks a container with mounts that have the options. It says false where they are refused.
func (t *trial) mountsHold(options []string, mounts ...specs.Mount) bool {
	args := []string{"try"}
	for _, m := range mounts {
		args = append(args, m.Destination)
	}
	c := t.container(args, func(spec *specs.Spec) { spec.Mounts = append(spec.Mounts, mounts...) })
	task := c.run()
	if _, err := task.plan(); errors.Is(err, sdk.ErrUnsupported) {
		return false
	}
	r := t.reportOf(task)
	for _, m := range mounts {
		got := r.Paths[m.Destination]
		for _, o := range options {
			if got.Flags&flagOf[o] == 0 && !heldByNamespace(o, m.Type, r) {
				t.Errorf("a %s with %s does not have %s", m.Type, strings.Join(options, ","), o)
			}
		}
		if slices.Contains(options, "ro") && got.Write != unix.EROFS {
			t.Errorf("a %s with ro: making a file in it ends with %q", m.Type, got.Write)
		}
	}
	return true
}

// heldByNamespace says whether a user namespace of the container's own does what the option asks for,
// without the flag: in it no program gains rights by its setuid bit but those of ids that the caller has
// anyway, and no device opens on a file system that was mounted in it (user_namespaces(7)).
func heldByNamespace(option, kind string, r *probe.Report) bool {
	own, err := os.Readlink("/proc/self/ns/user")
	if err != nil || r.Namespaces["user"] == own {
		return false
	}
	return option == "nosuid" || option == "nodev" && kind == "tmpfs"
}

// hidden makes a file and a directory in the container's root file system, and an edit that has paths
// treated.
func (t *trial) hidden(treat func(l *specs.Linux, paths []string), paths ...string) edit {
	return func(spec *specs.Spec) {
		t.must(os.Mkdir(filepath.Join(spec.Root.Path, "secrets"), 0o755))
		for _, name := range []string{"secret", "secrets/key"} {
			t.must(os.WriteFile(filepath.Join(spec.Root.Path, name), []byte("confidential"), 0o644))
		}
		treat(spec.Linux, append(paths, "/secret", "/secrets", "/no/such/path", "/proc/no-such-path"))
	}
}

func (t *trial) appliedMaskedPaths() {
	paths := []string{"/secret", "/secrets", "/proc/version", "/proc/tty"} // a file and a directory of each
	_, r := t.appliedReport(paths, t.hidden(func(l *specs.Linux, all []string) { l.MaskedPaths = all }, paths[2:]...))
	for _, path := range paths {
		if got := r.Paths[path]; got.Content != "" {
			t.Errorf("%s, which config.json masks, has %q in it", path, clip(got.Content))
		}
	}
}

func (t *trial) appliedReadonlyPaths() {
	const parameter, own = "/proc/sys/kernel/core_pattern", "/proc/self/comm"
	_, r := t.appliedReport([]string{parameter, own}, func(spec *specs.Spec) {
		spec.Linux.ReadonlyPaths = []string{"/proc/sys", "/proc/no-such-path"}
	})
	// The kernel refuses an ordinary user beforehand.
	if got := r.Paths[parameter].Write; got != unix.EROFS && got != unix.EACCES {
		t.Errorf("%s, below a read-only path: writing ends with %q", parameter, got)
	}
	if got := r.Paths[own].Write; got != 0 {
		t.Errorf("%s, which nobody asked for, cannot be written: %q", own, got)
	}
	paths := []string{"/secret", "/secrets"}
	_, r = t.appliedReport(paths, t.hidden(func(l *specs.Linux, all []string) { l.ReadonlyPaths = all }))
	for _, path := range paths {
		if got := r.Paths[path]; got.Write != unix.EROFS || got.Content == "" {
			t.Errorf("%s, which config.json makes read-only: writing ends with %q, and it has %q in it", path, got.Write, got.Content)
		}
	}
}
