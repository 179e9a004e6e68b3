package doctor

import (
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"
)

func TestStateDirectory(t *testing.T) {
	missing := func(t *testing.T, n *Node) { must(t, os.Remove(n.State.System)) }
	mode := func(mode os.FileMode) func(*testing.T, *Node) {
		return func(t *testing.T, n *Node) { must(t, os.Chmod(n.State.System, mode)) }
	}
	tests := []struct {
		name   string
		make   func(t *testing.T, n *Node)
		status Status
		what   string // behind the directory's name
		mend   string // before the directory's name
	}{
		{"good", func(*testing.T, *Node) {}, StatusOK, " is there", ""},
		{"symbolic link", func(t *testing.T, n *Node) {
			missing(t, n)
			must(t, os.Symlink(t.TempDir(), n.State.System))
		}, StatusBroken, " is no directory: L---------", "rm "},
		{"file", func(t *testing.T, n *Node) {
			missing(t, n)
			must(t, os.WriteFile(n.State.System, nil, 0o644))
		}, StatusBroken, " is no directory", "rm "},
		{"owner", func(_ *testing.T, n *Node) { n.Trust.Root = 65533; n.State.UID = 65532 }, StatusBroken, " does not belong to root (owner ", "chown root "},
		{"not sticky", mode(0o777), StatusBroken, " is writable by others without being sticky (owner " + uidName() + ", mode 0777)", "chmod 1777 "},
		{"group not sticky", mode(0o775), StatusBroken, " is writable by others without being sticky", "chmod 1777 "},
		{"closed, caller without directory", func(t *testing.T, n *Node) {
			mode(0o755)(t, n)
			n.State.UID = 65532
		}, StatusBroken, " is not writable by all (owner " + uidName() + ", mode 0755), and alice has no directory in it", "chmod 1777 "},
		{"closed, caller with directory", func(t *testing.T, n *Node) {
			must(t, os.Mkdir(filepath.Join(n.State.System, uidName()), 0o700))
			mode(0o755)(t, n)
		}, StatusWarning, " is not writable by all (owner " + uidName() + ", mode 0755)", "chmod 1777 "},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := goodNode(t)
			test.make(t, n)
			if os.Geteuid() == 0 && test.name == "owner" {
				must(t, os.Chown(n.State.System, 2000, 2000)) // root's is right whoever is asked
			}
			mend := test.mend
			if mend != "" {
				mend += n.State.System
			}
			one(t, examine(t, n, stateDirectory()), test.status, n.State.System+test.what, mend)
		})
	}
}

func TestStateDirectoryMissing(t *testing.T) {
	tests := []struct {
		name       string
		uid        int
		runtimeDir func(t *testing.T) string
		status     Status
		what       string
	}{
		{"unset", 65532, func(*testing.T) string { return "" }, StatusBroken, "XDG_RUNTIME_DIR is not set"},
		{"missing", os.Geteuid(), func(t *testing.T) string { return filepath.Join(t.TempDir(), "none") }, StatusBroken, "cannot take its place: opening XDG_RUNTIME_DIR"},
		{"relative", os.Geteuid(), func(*testing.T) string { return "run" }, StatusBroken, `"run" is not an absolute path`},
		{"open to others", os.Geteuid(), func(t *testing.T) string {
			dir := t.TempDir()
			must(t, os.Chmod(dir, 0o777))
			return dir
		}, StatusBroken, "is not private"},
		{"good", os.Geteuid(), func(t *testing.T) string {
			dir := t.TempDir()
			must(t, os.Chmod(dir, 0o700))
			return dir
		}, StatusWarning, "berth uses XDG_RUNTIME_DIR, /"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := goodNode(t)
			must(t, os.Remove(n.State.System))
			n.State.UID, n.State.UserRuntimeDir = test.uid, test.runtimeDir(t)
			f := examine(t, n, stateDirectory())
			if os.Geteuid() == 0 && test.uid == 0 && test.status == StatusBroken {
				// Root needs no runtime directory: berth makes the node's.
				one(t, f, StatusWarning, "berth makes it when root runs a container", "install -d -m 1777 "+n.State.System)
				return
			}
			one(t, f, test.status, test.what, "install -d -m 1777 "+n.State.System)
		})
	}
	t.Run("root", func(t *testing.T) {
		n := goodNode(t)
		must(t, os.Remove(n.State.System))
		n.State.UID = 0
		one(t, examine(t, n, stateDirectory()), StatusWarning, "berth makes it when root runs", "install -d -m 1777 "+n.State.System)
		if _, err := os.Lstat(n.State.System); !os.IsNotExist(err) {
			t.Errorf("examining has made %s: %v", n.State.System, err)
		}
	})
}

func TestStateFileSystem(t *testing.T) {
	needRoot(t, "mounts file systems")
	fill := func(t *testing.T, dir string) {
		f, err := os.Create(filepath.Join(dir, "full"))
		must(t, err)
		defer f.Close()
		for err == nil {
			_, err = f.Write(make([]byte, 4096))
		}
	}
	tests := []struct {
		name, options string
		make          func(t *testing.T, dir string)
		flags         uintptr
		status        Status
		what, mend    string
	}{
		{"roomy", "size=64m,mode=1777", nil, unix.MS_NOEXEC | unix.MS_NOSUID, StatusOK, "is there", ""},
		{"low", "size=1m,mode=1777", nil, 0, StatusWarning, "with 1024 KiB left", "berth gc"},
		{"full", "size=64k,mode=1777", fill, 0, StatusBroken, "without room", "berth gc"},
		{"no inodes", "size=64m,nr_inodes=1,mode=1777", nil, 0, StatusBroken, "without inodes", "berth gc"},
		{"read-only", "size=64m,mode=1777", nil, unix.MS_RDONLY, StatusBroken, "mounted read-only", "mount -o remount,rw DIR"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := goodNode(t)
			dir := n.State.System
			withMount(t, dir, test.options, test.flags, func() {
				if test.make != nil {
					test.make(t, dir)
				}
				mend := test.mend
				if mend != "" && mend != "berth gc" {
					mend = "mount -o remount,rw " + dir
				}
				one(t, examine(t, n, stateDirectory()), test.status, test.what, mend)
			})
		})
	}
}

// withMount runs f on a thread of its own in a mount namespace with a tmpfs on dir.
func withMount(t *testing.T, dir, options string, flags uintptr, f func()) {
	t.Helper()
	var err error
	onThread(func() {
		if err = unix.Unshare(unix.CLONE_NEWNS | unix.CLONE_FS); err != nil {
			return
		}
		if err = unix.Mount("", "/", "", unix.MS_REC|unix.MS_PRIVATE, ""); err != nil {
			return
		}
		if err = unix.Mount("tmpfs", dir, "tmpfs", flags, options); err != nil {
			return
		}
		f()
	})
	if err != nil {
		t.Skip("needs the right to mount: ", err)
	}
}

func TestTmpfiles(t *testing.T) {
	const line = "echo 'd %s 1777 root root -' > /etc/tmpfiles.d/berth.conf"
	tests := []struct {
		name, file, content string
		status              Status
		what                string
	}{
		{"vendor's", "usr/lib/tmpfiles.d/berth.conf", "d DIR 1777 root root -\n", StatusOK, "makes"},
		{"administrator's", "etc/tmpfiles.d/site.conf", "# our own\n\nd! DIR/ 1777 root root - -\n", StatusOK, "site.conf makes"},
		{"masked mode", "etc/tmpfiles.d/site.conf", "D DIR ~01777\n", StatusOK, "site.conf makes"},
		{"none", "etc/tmpfiles.d/site.conf", "d DIR/other 1777\nr DIR\nd\n", StatusWarning, "no file of tmpfiles.d makes"},
		{"no .conf", "etc/tmpfiles.d/berth", "d DIR 1777\n", StatusWarning, "no file of tmpfiles.d makes"},
		{"mode", "etc/tmpfiles.d/berth.conf", "d DIR 0755 root root -\n", StatusWarning, `says "d `},
		{"no mode", "etc/tmpfiles.d/berth.conf", "d DIR\n", StatusWarning, `says "d `},
		{"age", "etc/tmpfiles.d/berth.conf", "d DIR 1777 root root 10d\n", StatusWarning, "10d"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := goodNode(t)
			remove(t, n, "usr/lib/tmpfiles.d/berth.conf")
			write(t, n, test.file, replace(test.content, "DIR", n.State.System))
			mend := ""
			if test.status != StatusOK {
				mend = replace(line, "%s", n.State.System)
			}
			one(t, examine(t, n, tmpfiles()), test.status, test.what, mend)
		})
	}
	t.Run("hidden by the administrator's", func(t *testing.T) {
		n := goodNode(t)
		write(t, n, "etc/tmpfiles.d/berth.conf", "")
		one(t, examine(t, n, tmpfiles()), StatusWarning, "no file of tmpfiles.d makes", replace(line, "%s", n.State.System))
	})
	t.Run("no systemd", func(t *testing.T) {
		n := goodNode(t)
		write(t, n, "proc/1/comm", "init\n")
		remove(t, n, "usr/lib/tmpfiles.d/berth.conf")
		one(t, examine(t, n, tmpfiles()), StatusOK, "process 1 is not systemd", "")
	})
}
