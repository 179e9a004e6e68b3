package doctor

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/trust"
)

func replace(text, old, new string) string { return strings.ReplaceAll(text, old, new) }

func TestConfiguration(t *testing.T) {
	tests := []struct {
		name, toml string
		make       func(t *testing.T, n *Node)
		status     Status
		what, mend string
	}{
		{"good", "default_driver = \"runc\"\n", nil, StatusOK, "makes sense", ""},
		{"none", "", func(t *testing.T, n *Node) { must(t, os.Remove(n.Layout.Config)) }, StatusOK, "every key has its default", ""},
		{"typo", "default_drivr = \"runc\"\n", nil, StatusBroken, "berth.toml:1:1: ", "berth config check"},
		{"driver that is not installed", "[[rules]]\nuser = [\"*\"]\ndriver = \"nvidia\"\n", nil, StatusBroken, `no driver "nvidia" is installed`, "berth config check"},
		{"closed", "", func(t *testing.T, n *Node) { must(t, os.Chmod(n.Layout.Config, 0o640)) }, StatusBroken, "closed to ordinary users (mode 0640)", "chmod a+r CONFIG"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := installed(t, test.toml)
			if test.make != nil {
				test.make(t, n)
				load(t, n)
			}
			one(t, examine(t, n, configuration()), test.status, test.what, replace(test.mend, "CONFIG", n.Layout.Config))
		})
	}
	t.Run("several drivers", func(t *testing.T) {
		n := installed(t, "default_driver = \"nvidia\"\n[[rules]]\ndriver = \"enroot\"\n")
		f := examine(t, n, configuration())
		if len(f) != 2 {
			t.Fatalf("found %+v, want both", f)
		}
		one(t, f[:1], StatusBroken, `berth.toml:1:1: no driver "nvidia"`, "berth config check")
		one(t, f[1:], StatusBroken, `no driver "enroot"`, "berth config check")
	})
	t.Run("not trusted", func(t *testing.T) {
		n := installed(t, "")
		must(t, os.Chmod(n.Layout.Config, 0o666))
		_, err := n.Trust.Open(n.Layout.Config)
		n.Host, n.HostErr = nil, err
		one(t, examine(t, n, configuration()), StatusBroken, "is not trusted: others than its owner can write it", `chmod go-w "`+n.Layout.Config+`"`)
	})
}

func TestTrustedFiles(t *testing.T) {
	driver := func(n *Node) string { return filepath.Join(n.Layout.Drivers, trust.DriverPrefix+"runc") }
	tests := []struct {
		name       string
		make       func(t *testing.T, n *Node)
		status     Status
		what, mend string // DRIVERS, DRIVER, INIT, PROGRAM stand for the paths
	}{
		{"good", func(*testing.T, *Node) {}, StatusOK, "4 files", ""},
		{"no configuration", func(t *testing.T, n *Node) { must(t, os.Remove(n.Layout.Config)) }, StatusOK, "3 files", ""},
		{"driver writable by others", func(t *testing.T, n *Node) { must(t, os.Chmod(driver(n), 0o757)) }, StatusBroken, `"DRIVER" is not trusted: others than its owner can write it (mode 0757)`, `chmod go-w "DRIVER"`},
		{"driver directory writable by its group", func(t *testing.T, n *Node) { must(t, os.Chmod(n.Layout.Drivers, 0o775)) }, StatusBroken, `"DRIVERS" is not trusted`, `chmod go-w "DRIVERS"`},
		{"init a symbolic link", func(t *testing.T, n *Node) {
			must(t, os.Rename(n.Layout.Init, n.Layout.Init+".real"))
			must(t, os.Symlink(n.Layout.Init+".real", n.Layout.Init))
		}, StatusBroken, "it is a symbolic link", "ls -ld INIT"},
		{"driver a directory", func(t *testing.T, n *Node) {
			must(t, os.Remove(driver(n)))
			must(t, os.Mkdir(driver(n), 0o755))
		}, StatusBroken, "not a regular file", "ls -ld DRIVER"},
		{"driver closed", func(t *testing.T, n *Node) { must(t, os.Chmod(driver(n), 0o750)) }, StatusBroken, "DRIVER is closed to ordinary users (mode 0750)", "chmod a+r,a+X DRIVER"},
		{"driver closed in a build tree", func(t *testing.T, n *Node) {
			n.Layout.BuildTree = true
			must(t, os.Chmod(driver(n), 0o750))
		}, StatusOK, "4 files", ""},
		{"driver elsewhere", func(t *testing.T, n *Node) {
			must(t, os.WriteFile(n.Layout.Config, []byte("[drivers.acme]\npath = \""+n.Program+".acme\"\n"), 0o644))
			must(t, os.WriteFile(n.Program+".acme", nil, 0o775))
			must(t, os.Chmod(n.Program+".acme", 0o775))
			load(t, n)
		}, StatusBroken, `"PROGRAM.acme" is not trusted`, `chmod go-w "PROGRAM.acme"`},
		{"configuration unusable", func(t *testing.T, n *Node) { n.Host = nil }, StatusOK, "2 files", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := installed(t, "")
			test.make(t, n)
			fill := strings.NewReplacer("DRIVERS", n.Layout.Drivers, "DRIVER", driver(n), "INIT", n.Layout.Init, "PROGRAM", n.Program)
			one(t, examine(t, n, trustedFiles()), test.status, fill.Replace(test.what), fill.Replace(test.mend))
		})
	}
	t.Run("of another user", func(t *testing.T) {
		needRoot(t, "makes files of several owners")
		n := installed(t, "")
		must(t, os.Chown(n.Program, 2000, 0))
		one(t, examine(t, n, trustedFiles()), StatusBroken, "belongs to uid 2000, not to root", `chown root "`+n.Program+`"`)
	})
}

func TestPrograms(t *testing.T) {
	t.Run("good", func(t *testing.T) {
		n := installed(t, "")
		one(t, examine(t, n, berthInit()), StatusOK, "can be executed", "")
		one(t, examine(t, n, driverDirectory()), StatusOK, "has 1 driver", "")
	})
	t.Run("configuration unusable", func(t *testing.T) {
		n := installed(t, "")
		n.Host = nil
		one(t, examine(t, n, driverDirectory()), StatusOK, "has 1 driver", "")
	})
	t.Run("missing", func(t *testing.T) {
		n := installed(t, "")
		must(t, os.Remove(n.Layout.Init))
		must(t, os.RemoveAll(n.Layout.Drivers))
		one(t, examine(t, n, berthInit()), StatusBroken, "there is no "+n.Layout.Init, "make install")
		one(t, examine(t, n, driverDirectory()), StatusBroken, "there is no driver in "+n.Layout.Drivers, "make install")
		n.Layout.BuildTree = true
		one(t, examine(t, n, berthInit()), StatusBroken, "there is no "+n.Layout.Init, "make build")
		one(t, examine(t, n, driverDirectory()), StatusBroken, "there is no driver in "+n.Layout.Drivers, "make build")
	})
	t.Run("not executable", func(t *testing.T) {
		n := installed(t, "")
		must(t, os.Chmod(n.Layout.Init, 0o644))
		one(t, examine(t, n, berthInit()), StatusBroken, "no program (mode -rw-r--r--)", "chmod 755 "+n.Layout.Init)
	})
	t.Run("noexec", func(t *testing.T) {
		needRoot(t, "mounts a file system")
		n := installed(t, "")
		dir := n.Layout.Drivers
		withMount(t, dir, "mode=755", unix.MS_NOEXEC, func() {
			for _, name := range []string{"berth-init", "berth-driver-runc"} {
				must(t, os.WriteFile(filepath.Join(dir, name), nil, 0o755))
			}
			n.Layout.Init = filepath.Join(dir, "berth-init")
			write(t, n, "proc/self/mountinfo", mountOf(t, dir))
			one(t, examine(t, n, berthInit()), StatusBroken, "mounted noexec", "mount -o remount,exec "+dir)
			one(t, examine(t, n, driverDirectory()), StatusBroken, "mounted noexec", "mount -o remount,exec "+dir)
		})
	})
}

// mountOf is the line of this thread's mountinfo for a mount point.
func mountOf(t *testing.T, dir string) string {
	data, err := os.ReadFile("/proc/thread-self/mountinfo")
	must(t, err)
	for line := range strings.Lines(string(data)) {
		if strings.Contains(line, " "+dir+" ") {
			return line
		}
	}
	t.Errorf("%s is not mounted", dir)
	return ""
}
