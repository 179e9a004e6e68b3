package drivertest

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

// initPath is where the host binds berth-init in every container.
const initPath = "/dev/" + probe.InitName

// edit changes a bundle before it is written.
type edit func(*specs.Spec)

// newSpec is a bundle in the normal form that the host gives every driver: the effective
// config.json.
func (k *kit) newSpec(rootfs, id string, command []string) *specs.Spec {
	spec := &specs.Spec{
		Version: "1.0.2",
		Process: &specs.Process{
			Args: append([]string{initPath, "--"}, command...),
			Env: []string{
				"PATH=/bin", "HOME=/tmp", marker(id),
				"GODEBUG=asyncpreemptoff=1", // or Go would send itself SIGURG, which the probe counts
			},
			Cwd:             "/",
			Capabilities:    capabilities(),
			NoNewPrivileges: true,
			Rlimits:         []specs.POSIXRlimit{sdk.OpenFiles()},
		},
		Root:        &specs.Root{Path: rootfs},
		Hostname:    "berth-kit",
		Mounts:      k.mounts(),
		Annotations: map[string]string{},
		Linux: &specs.Linux{Namespaces: []specs.LinuxNamespace{
			{Type: specs.PIDNamespace}, {Type: specs.IPCNamespace}, {Type: specs.UTSNamespace}, {Type: specs.MountNamespace},
		}},
	}
	if k.ids.needed {
		spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
		spec.Linux.UIDMappings, spec.Linux.GIDMappings = k.ids.uids, k.ids.gids
		spec.Annotations["run.oci.keep_original_groups"] = "1" // crun drops them otherwise
	}
	if k.lacks(Isolation) {
		shareNode(spec)
	}
	if k.lacks(Capabilities) {
		spec.Process.Capabilities = nil
	}
	return spec
}

func capabilities() *specs.LinuxCapabilities {
	caps := []string{"CAP_AUDIT_WRITE", "CAP_KILL", "CAP_NET_BIND_SERVICE"}
	return &specs.LinuxCapabilities{Bounding: caps, Effective: caps, Permitted: caps}
}

func (k *kit) mounts() []specs.Mount {
	return []specs.Mount{
		{Destination: "/proc", Type: "proc", Source: "proc"},
		{Destination: "/dev", Type: "tmpfs", Source: "tmpfs", Options: []string{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		{Destination: "/dev/pts", Type: "devpts", Source: "devpts", Options: []string{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
		{Destination: "/dev/shm", Type: "tmpfs", Source: "shm", Options: []string{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		{Destination: initPath, Type: "bind", Source: k.probe, Options: []string{"bind", "ro"}},
	}
}

// marker is the variable by which the kit knows a container's processes again.
func marker(id string) string { return "DRIVERTEST_CONTAINER=" + id }

// newRootfs makes the root file system: the probe, and files that cannot be executed.
func (k *kit) newRootfs(dir string) error {
	for _, sub := range []string{"bin/directory", "dev", "proc", "sys", "tmp", "work dir"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return fmt.Errorf("making a root file system: %w", err)
		}
	}
	if err := os.Link(k.probe, filepath.Join(dir, "bin", probe.Name)); err != nil {
		return fmt.Errorf("making a root file system: %w", err)
	}
	for name, mode := range map[string]os.FileMode{"not-executable": 0o644, "not-a-program": 0o755} {
		if err := os.WriteFile(filepath.Join(dir, "bin", name), []byte("neither ELF nor script\n"), mode); err != nil {
			return fmt.Errorf("making a root file system: %w", err)
		}
	}
	script := []byte("#!/no/such/interpreter\n")
	if err := os.WriteFile(filepath.Join(dir, "bin", "no-interpreter"), script, 0o755); err != nil {
		return fmt.Errorf("making a root file system: %w", err)
	}
	return nil
}

func writeSpec(bundle string, spec *specs.Spec) error {
	data, err := json.Marshal(spec)
	if err != nil {
		return fmt.Errorf("writing config.json: %w", err)
	}
	return os.WriteFile(filepath.Join(bundle, sdk.ConfigFile), data, 0o600)
}

// shareNode takes away what Isolation is about.
func shareNode(spec *specs.Spec) {
	withoutPidNamespace(spec)
	spec.Linux.Namespaces = spec.Linux.Namespaces[2:] // IPC and UTS
	spec.Hostname, spec.Process.Capabilities = "", nil
	for i, m := range spec.Mounts {
		if m.Destination == "/dev/pts" || m.Destination == "/dev/shm" {
			spec.Mounts[i] = specs.Mount{Destination: m.Destination, Type: "bind", Source: m.Destination, Options: []string{"rbind"}}
		}
	}
}

// withoutPidNamespace puts the program among the node's own processes, where it is no process 1.
// A new /proc would need a pid namespace of its own (proc(5)).
func withoutPidNamespace(spec *specs.Spec) {
	if spec.Linux.Namespaces[0].Type != specs.PIDNamespace {
		return // see shareNode
	}
	spec.Linux.Namespaces = spec.Linux.Namespaces[1:]
	spec.Mounts[0] = specs.Mount{Destination: "/proc", Type: "bind", Source: "/proc", Options: []string{"rbind"}}
}
