package test

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"syscall"
)

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

// install puts the programs into dir: those of BERTH_BIN, or newly built ones, and this test
// program as "misbehaving".
func install(dir string) error {
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	if err := copyFile(filepath.Join(dir, "misbehaving"), self, 0o755); err != nil {
		return err
	}
	if err := buildAll([]string{"go", "build", "-o", filepath.Join(dir, "enroot"), "../drivers/enroot/testdata/standin"}); err != nil {
		return err // it stands in for enroot, which no distribution has
	}
	bin := os.Getenv("BERTH_BIN")
	if bin == "" {
		return build(dir)
	}
	for _, name := range append(programNames[:], furtherDrivers[:]...) {
		if err := copyFile(filepath.Join(dir, name), filepath.Join(bin, name), 0o755); err != nil {
			return err
		}
	}
	return nil
}

// programNames are the programs of every site; furtherDrivers those of the sites that link them.
var (
	programNames   = [...]string{"berth", "berth-init", "berth-driver-runc", "berth-driver-crun"}
	furtherDrivers = [...]string{"berth-driver-charliecloud", "berth-driver-nvidia", "berth-driver-enroot"}
)

func build(dir string) error {
	sources, err := filepath.Glob("../init/*.c")
	if err != nil {
		return err
	}
	return buildAll([][]string{
		{"go", "build", "-trimpath", "-tags", "grpcnotrace", "-o", filepath.Join(dir, "berth"), "../host"},
		{"go", "build", "-trimpath", "-tags", "grpcnotrace", "-o", filepath.Join(dir, "berth-driver-runc"), "../drivers/runc"},
		{"go", "build", "-trimpath", "-tags", "grpcnotrace", "-o", filepath.Join(dir, "berth-driver-crun"), "../drivers/crun"},
		{"go", "build", "-trimpath", "-tags", "grpcnotrace", "-o", filepath.Join(dir, "berth-driver-charliecloud"), "../drivers/charliecloud"},
		{"go", "build", "-trimpath", "-tags", "grpcnotrace", "-o", filepath.Join(dir, "berth-driver-nvidia"), "../drivers/nvidia"},
		{"go", "build", "-trimpath", "-tags", "grpcnotrace", "-o", filepath.Join(dir, "berth-driver-enroot"), "../drivers/enroot"},
		append([]string{"cc", "-std=c11", "-Os", "-static", "-o", filepath.Join(dir, "berth-init")}, sources...),
	}...)
}

// buildAll runs commands that build programs.
func buildAll(commands ...[]string) error {
	for _, args := range commands {
		cmd := exec.Command(args[0], args[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return fmt.Errorf("%q: %w\n%s", args, err, out)
		}
	}
	return nil
}

// copyFile makes the file to with the content of from.
func copyFile(to, from string, mode os.FileMode) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	_, err = io.Copy(out, in)
	if closed := out.Close(); err == nil {
		err = closed
	}
	if err == nil {
		err = os.Chmod(to, mode) // whatever the umask
	}
	return err
}
