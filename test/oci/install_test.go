package oci

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

// programNames are the programs under test. The front end is berth under another name.
var programNames = [...]string{"berth", "berth-init", "berth-driver-runc", "berth-driver-crun"}

// install puts the programs into dir: those of BERTH_BIN, or newly built ones, and the probe.
func install(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	bin := os.Getenv("BERTH_BIN")
	if bin == "" {
		if err := run("make", "--no-print-directory", "--directory=../..", "build"); err != nil {
			return err
		}
		bin = "../../bin"
	}
	for _, name := range programNames {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(bin, name), 0o755); err != nil {
			return err
		}
	}
	if err := os.Symlink("berth", filepath.Join(dir, "berth-oci")); err != nil {
		return err
	}
	return run("go", "build", "-trimpath", "-o", filepath.Join(dir, "probe"), "./probe")
}

// run runs a command that builds something.
func run(args ...string) error {
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%q: %w\n%s", args, err, out)
	}
	return nil
}

// trustedParent is a directory in which berth trusts what this test puts there: only its owner can
// write it or what is above it.
func trustedParent() string {
	places := []string{filepath.Dir(os.Getenv("BERTH_BIN")), os.Getenv("XDG_RUNTIME_DIR"), os.Getenv("HOME"), "/var/lib"}
	for _, dir := range places {
		if filepath.IsAbs(dir) && private(dir) && syscall.Access(dir, 2) == nil {
			return dir
		}
	}
	return ""
}

func private(dir string) bool {
	for ; ; dir = filepath.Dir(dir) {
		info, err := os.Lstat(dir)
		if err != nil || !info.IsDir() || info.Mode().Perm()&0o022 != 0 {
			return false
		}
		if owner := int(info.Sys().(*syscall.Stat_t).Uid); owner != 0 && owner != os.Geteuid() {
			return false
		}
		if dir == "/" {
			return true
		}
	}
}

func copyFile(to, from string, mode os.FileMode) error {
	text, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	if err := os.WriteFile(to, text, mode); err != nil {
		return err
	}
	return os.Chmod(to, mode) // whatever the umask
}

// applets are the programs of busybox that containers find in /bin.
var applets = [...]string{"cat", "echo", "env", "false", "grep", "id", "kill", "ls", "mkdir", "mount", "ps", "readlink",
	"sh", "sleep", "stat", "stty", "touch", "true", "tty", "umask"}

// makeRootfs makes a root file system with busybox and the probe. Cases leave it as it is, or take
// one of their own.
func makeRootfs(dir string) error {
	for _, sub := range []string{"bin", "bin/directory", "dev", "etc", "mnt", "proc", "run", "shared", "sys", "tmp", "work"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	for name, from := range map[string]string{"busybox": "/bin/busybox", "probe": filepath.Join(filepath.Dir(dir), "probe")} {
		if err := copyFile(filepath.Join(dir, "bin", name), from, 0o755); err != nil {
			return err
		}
	}
	for _, name := range applets {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", name)); err != nil {
			return err
		}
	}
	for name, file := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"bin/not-executable": {"#!/bin/sh\n", 0o644},
		"bin/not-a-program":  {"\x7fELF but no more\n", 0o755},
		"bin/no-interpreter": {"#!/no/such/interpreter\n", 0o755},
		"etc/passwd":         {"root:x:0:0:root:/root:/bin/sh\nann:x:1000:1000:Ann:/home/ann:/bin/sh\n", 0o644},
		"etc/group":          {"root:x:0:\nann:x:1000:\n", 0o644},
		"etc/secret":         {"secret\n", 0o644},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(file.text), file.mode); err != nil {
			return err
		}
	}
	return nil
}
