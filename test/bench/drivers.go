package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
)

// These come from test/setup.
const (
	nvidiaRuntime = "/var/cache/berth-test/nvidia/nvidia-container-runtime"
	apptainerRoot = "/var/cache/berth-test/trixie-apptainer"
)

// drivers measures the drivers of further runtimes, which pass over the isolation that they cannot give.
func (c *caller) drivers(rounds int) error {
	if err := configureDrivers(); err != nil {
		return err
	}
	bare := filepath.Join(os.Getenv("BERTH_BENCH_BARE"), c.name+"-nvidia")
	for _, row := range []struct {
		driver string
		bare   func(id string) []string
	}{
		{"charliecloud", func(string) []string { return []string{"ch-run", c.dir + "/rootfs", "--", "/bin/true"} }},
		{"nvidia", func(id string) []string { return []string{nvidiaRuntime, "--root", bare, "run", id} }},
		{"enroot", func(string) []string { return []string{"enroot", "start", "bench", "/bin/true"} }},
	} {
		if row.driver == "enroot" {
			if _, err := exec.LookPath("enroot"); err != nil {
				fmt.Println("| run, enroot | – | – | – | no enroot here |")
				continue
			}
		}
		err := c.row("run, "+row.driver, rounds,
			func(id string) *exec.Cmd { return c.command(row.bare(id)...) },
			func(id string) *exec.Cmd { return c.command(berth(), "run", "--driver", row.driver, "--id", id, c.dir) })
		if err != nil {
			return err
		}
	}
	return inApptainersRoot(rounds)
}

// configureDrivers writes berth.toml where the installed programs look for it: in a mount namespace of the
// bench's own, see run.
func configureDrivers() error {
	text := fmt.Sprintf("[drivers.charliecloud]\nisolation = \"share\"\n[drivers.singularity]\nisolation = \"share\"\n"+
		"[drivers.nvidia]\nruntime = %q\nlow_level = \"/usr/bin/runc\"\n", nvidiaRuntime)
	if err := os.MkdirAll("/etc/berth", 0o755); err != nil {
		return err
	}
	return os.WriteFile("/etc/berth/berth.toml", []byte(text), 0o644)
}

// inApptainersRoot measures the driver singularity in the root filesystem that has Apptainer, by this
// program.
func inApptainersRoot(rounds int) error {
	here, err := os.Getwd()
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	program, err := os.ReadFile(self)
	if err != nil {
		return err
	}
	if err := os.WriteFile("bench-program", program, 0o755); err != nil {
		return err
	}
	cmd := exec.Command("test/enter", apptainerRoot, here, filepath.Join(here, "bench-program"), "-apptainer", "-rounds", strconv.Itoa(rounds))
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}

// apptainer is what inApptainersRoot runs. There is no runc to write a bundle.
func apptainer(rounds int) error {
	if err := configureDrivers(); err != nil {
		return err
	}
	if err := os.WriteFile("/etc/hosts", nil, 0o644); err != nil { // Apptainer's own exec wants to bind it
		return err
	}
	if err := os.Mkdir("/run/berth", 0o755); err != nil {
		return err
	}
	if err := os.Chmod("/run/berth", 0o777|os.ModeSticky); err != nil {
		return err
	}
	dir, err := os.MkdirTemp("/var/tmp", "berth-bench.")
	if err != nil {
		return err
	}
	if err := os.Chmod(dir, 0o755); err != nil {
		return err
	}
	list := callers(dir)
	c := list[len(list)-1]
	if c.attr == nil {
		return errors.New("there is no ordinary user")
	}
	if err := c.makeImage(); err != nil {
		return err
	}
	config, err := json.Marshal(map[string]any{
		"ociVersion": "1.0.2",
		"process": map[string]any{
			"args": []string{"/bin/true"}, "cwd": "/", "env": []string{"PATH=/bin"},
			"user": map[string]any{"uid": c.attr.Credential.Uid, "gid": c.attr.Credential.Gid},
		},
		"root": map[string]any{"path": "rootfs", "readonly": true},
	})
	if err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(c.dir, "config.json"), config, 0o644); err != nil {
		return err
	}
	root := filepath.Join(c.dir, "rootfs")
	return c.row("run, singularity (Apptainer)", rounds,
		func(string) *exec.Cmd {
			return c.command("apptainer", "--silent", "exec", "--userns", "--contain", root, "/bin/true")
		},
		func(id string) *exec.Cmd {
			return c.command(berth(), "run", "--driver", "singularity", "--id", id, c.dir)
		})
}
