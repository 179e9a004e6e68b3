package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
)

// makeImage makes the directory of a bundle with its root file system.
func (c *caller) makeImage() error {
	bin := filepath.Join(c.dir, "rootfs", "bin")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		return err
	}
	busybox, err := os.ReadFile("/bin/busybox")
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(bin, "busybox"), busybox, 0o755); err != nil {
		return err
	}
	for _, dir := range []string{"proc", "dev", "sys", "tmp", "var/tmp", "etc", "usr", "home", "root", "run"} {
		if err := os.MkdirAll(filepath.Join(c.dir, "rootfs", dir), 0o755); err != nil {
			return err
		}
	}
	for _, name := range []string{"passwd", "group", "hosts", "resolv.conf"} { // which ch-run binds
		if err := os.WriteFile(filepath.Join(c.dir, "rootfs/etc", name), nil, 0o644); err != nil {
			return err
		}
	}
	for _, applet := range []string{"true", "sleep"} {
		if err := os.Symlink("busybox", filepath.Join(bin, applet)); err != nil {
			return err
		}
	}
	if c.attr == nil {
		return nil
	}
	return os.Chown(c.dir, int(c.attr.Credential.Uid), int(c.attr.Credential.Gid))
}

// makeBundle makes a directory with the bundle of a runtime's own default, as this caller.
func (c *caller) makeBundle() error {
	if err := c.makeImage(); err != nil {
		return err
	}
	spec := []string{"runc", "spec"}
	if c.name != "root" {
		spec = append(spec, "--rootless")
	}
	if err := c.command(spec...).Run(); err != nil {
		return err
	}
	return setCommand(filepath.Join(c.dir, "config.json"), "/bin/true")
}

// setCommand edits the command of a config.json, and has it ask for no terminal.
func setCommand(file string, args ...string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var config map[string]any
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	process := config["process"].(map[string]any)
	process["args"], process["terminal"] = args, false
	if text, err = json.Marshal(config); err != nil {
		return err
	}
	return os.WriteFile(file, text, 0o644)
}

// buildSmallest builds the smallest Go program there is: what starting any Go program costs.
func buildSmallest(to string) error {
	dir, err := os.MkdirTemp("", "berth-bench.")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	source := filepath.Join(dir, "main.go")
	if err := os.WriteFile(source, []byte("package main\n\nfunc main() {}\n"), 0o644); err != nil {
		return err
	}
	cmd := exec.Command("go", "build", "-trimpath", "-ldflags", "-s -w", "-o", to, source)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	cmd.Stderr = os.Stderr
	return cmd.Run()
}
