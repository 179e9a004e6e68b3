package trust

import (
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// The matrix: each object in turn gets each fault, everything else being right.
func TestPermissionMatrix(t *testing.T) {
	needRoot(t)
	objects := []string{"site", "site/drivers", "site/drivers/berth-driver-x"}
	faults := []struct {
		name   string
		make   func(t *testing.T, path string)
		text   string
		advice string
	}{
		{"owner", func(t *testing.T, p string) { must(t, os.Lchown(p, 2000, 0)) }, "belongs to uid 2000", `run: chown root "PATH"`},
		{"group write", func(t *testing.T, p string) { addMode(t, p, 0o020) }, "can write it (mode ", `run: chmod go-w "PATH"`},
		{"other write", func(t *testing.T, p string) { addMode(t, p, 0o002) }, "can write it (mode ", `run: chmod go-w "PATH"`},
		{"sticky is not enough", func(t *testing.T, p string) { addMode(t, p, 0o002|os.ModeSticky) }, "can write it (mode 17", `run: chmod go-w "PATH"`},
		{"ACL of a user", func(t *testing.T, p string) { grantWrite(t, p, 2000) }, "can write it (mode ", `run: chmod go-w "PATH"`},
		{"symlink", symlinkInstead, "it is a symbolic link", `name the file that the link leads to: "PATH.real"`},
		{"dangling symlink", danglingInstead, "it is a symbolic link", `name the file that the link leads to: "/nowhere"`},
		{"fifo", func(t *testing.T, p string) { instead(t, p); must(t, unix.Mkfifo(p, 0o644)) }, "is not a ", ""},
		{"socket", func(t *testing.T, p string) { instead(t, p); must(t, unix.Mknod(p, unix.S_IFSOCK|0o644, 0)) }, "is not a ", ""},
		{"device", func(t *testing.T, p string) {
			instead(t, p)
			must(t, unix.Mknod(p, unix.S_IFCHR|0o644, int(unix.Mkdev(1, 7))))
		}, "is not a ", ""},
		{"wrong kind", wrongKind, "is not a ", ""},
	}
	for _, object := range objects {
		for _, fault := range faults {
			t.Run(fault.name+" of "+object, func(t *testing.T) {
				base := tree(t)
				path := filepath.Join(base, object)
				fault.make(t, path)
				f, err := Rules{BuildOwner: -1}.OpenDriver(filepath.Join(base, "site/drivers"), "x")
				if err == nil {
					f.Close()
					t.Fatal("opened")
				}
				if !errors.Is(err, sdk.ErrUnavailable) {
					t.Errorf("kind of %v is %v", err, sdk.Kind(err))
				}
				if !strings.Contains(err.Error(), `"`+path+`"`) || !strings.Contains(err.Error(), fault.text) {
					t.Errorf("error %q does not name %q with %q", err, path, fault.text)
				}
				if want := strings.ReplaceAll(fault.advice, "PATH", path); sdk.Advice(err) != want {
					t.Errorf("advice %q, want %q", sdk.Advice(err), want)
				}
			})
		}
		t.Run("missing "+object, func(t *testing.T) {
			base := tree(t)
			path := filepath.Join(base, object)
			must(t, os.RemoveAll(path))
			_, err := Rules{}.OpenDriver(filepath.Join(base, "site/drivers"), "x")
			if !errors.Is(err, fs.ErrNotExist) || !strings.Contains(err.Error(), `"`+path+`"`) {
				t.Errorf("error %v, want ErrNotExist of %q", err, path)
			}
		})
	}
}

func TestAdviceMends(t *testing.T) {
	needRoot(t)
	path := filepath.Join(tree(t), "site/drivers/berth-driver-x")
	grantWrite(t, path, 2000)
	if _, err := (Rules{}).Open(path); err == nil {
		t.Fatal("a file that uid 2000 may write by ACL was opened")
	}
	st, err := os.Stat(path)
	must(t, err)
	must(t, os.Chmod(path, st.Mode()&^0o022)) // chmod go-w
	f, err := Rules{}.Open(path)
	must(t, err)
	f.Close()
}

func TestOpenReadsTheFile(t *testing.T) {
	needRoot(t)
	path := filepath.Join(tree(t), "site/drivers/berth-driver-x")
	f, err := Rules{}.Open(path)
	must(t, err)
	defer f.Close()
	data, err := io.ReadAll(f)
	must(t, err)
	if string(data) != "driver" || f.Name() != path {
		t.Errorf("read %q of %q", data, f.Name())
	}
	flags, err := unix.FcntlInt(f.Fd(), unix.F_GETFD, 0)
	must(t, err)
	if flags&unix.FD_CLOEXEC == 0 {
		t.Error("the descriptor would be inherited")
	}
}

func TestPathIsAbsoluteAndClean(t *testing.T) {
	for _, path := range []string{"", "/", "x", "./x", "/etc/../etc/passwd", "/etc//passwd", "/etc/passwd/", "/./etc"} {
		if _, err := (Rules{}).Open(path); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%q: %v, want ErrInvalid", path, err)
		}
	}
}

// tree makes site/drivers/berth-driver-x, all root's, in a directory that root alone writes: /tmp
// would do for nobody, it is writable by everyone.
func tree(t *testing.T) string {
	t.Helper()
	base, err := os.MkdirTemp("/run", "berth-trust-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	must(t, os.Chmod(base, 0o755))
	must(t, os.MkdirAll(filepath.Join(base, "site/drivers"), 0o755))
	must(t, os.WriteFile(filepath.Join(base, "site/drivers/berth-driver-x"), []byte("driver"), 0o755))
	return base
}

func needRoot(t *testing.T) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: makes files of several owners")
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func addMode(t *testing.T, path string, bits os.FileMode) {
	st, err := os.Stat(path)
	must(t, err)
	must(t, os.Chmod(path, st.Mode()|bits))
}

func instead(t *testing.T, path string) { must(t, os.Rename(path, path+".real")) }

func symlinkInstead(t *testing.T, path string) {
	instead(t, path)
	must(t, os.Symlink(path+".real", path))
}

func danglingInstead(t *testing.T, path string) {
	instead(t, path)
	must(t, os.Symlink("/nowhere", path))
}

func wrongKind(t *testing.T, path string) {
	st, err := os.Stat(path)
	must(t, err)
	instead(t, path)
	if st.IsDir() {
		must(t, os.WriteFile(path, nil, 0o644))
		return
	}
	must(t, os.Mkdir(path, 0o755))
}

// grantWrite gives one user write permission by a POSIX ACL, in the form of the kernel's
// posix_acl_xattr.h: a version, then tag, permissions and id of each entry.
func grantWrite(t *testing.T, path string, uid uint32) {
	const noID = ^uint32(0)
	acl := binary.LittleEndian.AppendUint32(nil, 2)
	for _, entry := range []struct {
		tag, perm uint16
		id        uint32
	}{{0x01, 7, noID}, {0x02, 7, uid}, {0x04, 5, noID}, {0x10, 7, noID}, {0x20, 5, noID}} {
		acl = binary.LittleEndian.AppendUint16(acl, entry.tag)
		acl = binary.LittleEndian.AppendUint16(acl, entry.perm)
		acl = binary.LittleEndian.AppendUint32(acl, entry.id)
	}
	err := unix.Setxattr(path, "system.posix_acl_access", acl, 0)
	if errors.Is(err, unix.EOPNOTSUPP) {
		t.Skip("needs POSIX ACLs on the file system of /run")
	}
	must(t, err)
}
