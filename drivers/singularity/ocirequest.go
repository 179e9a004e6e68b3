package main

import (
	"fmt"
	"os"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// examine refuses a container that cannot be created as it is asked for. It returns its config.json and
// the path of berth-init.
func (d *oci) examine(c *sdk.Container) (spec *specs.Spec, init string, err error) {
	if strings.Contains(c.ID, "+") {
		return nil, "", sdk.Mark(fmt.Errorf("the runtime takes no \"+\" in a container's ID, %q", c.ID), sdk.ErrInvalid)
	}
	if spec, err = c.Spec(); err == nil {
		err = d.honours(spec)
	}
	if err != nil {
		return nil, "", err
	}
	if d.bySudo() {
		err = changes{"process": {}}.asCaller(spec)
	}
	if err == nil {
		init, err = berthInit(spec)
	}
	return spec, init, err
}

// inOneCommand refuses a container that SingularityCE's oci run cannot run as it is asked for.
func (d *oci) inOneCommand(c *sdk.Container) error {
	switch {
	case c.IO.ConsoleSocket != "" || c.IO.Detach || c.IO.NoPivot || c.IO.NoNewKeyring:
		return unsupported("input or output", "oci run is in the foreground, on the streams of its caller")
	case c.Files > 0:
		return unsupported("descriptors", "oci run passes none on")
	case !d.bySudo():
		return nil
	}
	spec, err := c.Spec()
	if err == nil && !namespace(spec.Linux, specs.UserNamespace) {
		err = unsupported("linux.namespaces", "without a user namespace the container's root would be the node's")
	}
	return err
}

// honours refuses a container that asks for what the runtime passes over in OCI mode, by the field of
// config.json. What else it cannot do it refuses itself.
func (d *oci) honours(spec *specs.Spec) error {
	switch info, err := os.Stat(spec.Root.Path); {
	case err != nil:
		return fmt.Errorf("root.path: %w", sdk.Mark(err, sdk.ErrInvalid))
	case !info.IsDir():
		return unsupported("root.path", "the runtime's oci commands take a directory, which %q is not", spec.Root.Path)
	}
	for _, r := range passedOver(spec) {
		if r.asked {
			return unsupported(r.field, "%s", r.answer)
		}
	}
	switch own := namespace(spec.Linux, specs.UserNamespace); {
	case own && !d.bySudo():
		return unsupported("linux.namespaces", "the runtime's oci commands fail in a user namespace")
	case own && d.settings.Isolation != share:
		return isolation("linux.namespaces", "the runtime's oci commands fail in a user namespace, without which the program is the caller, by the caller's own number")
	}
	for n, m := range spec.Mounts {
		if err := honoursMount(m); err != nil {
			return fmt.Errorf("mounts[%d].%w", n, err)
		}
	}
	return nil
}

func passedOver(spec *specs.Spec) []request {
	p, l := spec.Process, spec.Linux
	hooks := spec.Hooks
	if hooks == nil {
		hooks = &specs.Hooks{}
	}
	return []request{
		{"hooks", "the runtime runs none before the container, and none inside", len(hooks.Prestart)+len(hooks.CreateContainer)+len(hooks.StartContainer) > 0},
		{"domainname", "the runtime does not set it", spec.Domainname != ""},
		{"hostname", "it needs a UTS namespace", spec.Hostname != "" && !namespace(l, specs.UTSNamespace)},
		{"process.scheduler", "the runtime does not set it", p.Scheduler != nil},
		{"process.ioPriority", "the runtime does not set it", p.IOPriority != nil},
		{"process.execCPUAffinity", "the runtime does not set it", p.ExecCPUAffinity != nil},
		{"linux.seccomp", "the runtime knows no listeners, no flags, and EPERM for the only error", l.Seccomp != nil && !plainSeccomp(l.Seccomp)},
		{"linux.intelRdt", "the runtime does not set it", l.IntelRdt != nil},
		{"linux.memoryPolicy", "the runtime does not set it", l.MemoryPolicy != nil},
		{"linux.personality", "the runtime does not set it", l.Personality != nil},
		{"linux.netDevices", "the runtime moves none", len(l.NetDevices) > 0},
		{"linux.timeOffsets", "the runtime makes no time namespace", len(l.TimeOffsets) > 0 || namespace(l, specs.TimeNamespace)},
	}
}

// plainSeccomp says whether the runtime has all of a filter (its internal/pkg/security/seccomp).
func plainSeccomp(s *specs.LinuxSeccomp) bool {
	other := func(errno *uint) bool { return errno != nil && *errno != uint(unix.EPERM) }
	return !other(s.DefaultErrnoRet) && len(s.Flags) == 0 && s.ListenerPath == "" && s.ListenerMetadata == "" &&
		!slices.ContainsFunc(s.Syscalls, func(c specs.LinuxSyscall) bool { return other(c.ErrnoRet) })
}

// honoursMount refuses a mount that the runtime would leave out or do otherwise. Errors begin with the
// name of the mount's field.
func honoursMount(m specs.Mount) error {
	if len(m.UIDMappings)+len(m.GIDMappings) > 0 {
		return unsupported("uidMappings", "the runtime cannot map the owners of what it mounts")
	}
	if !isBind(m) {
		return nil // the kernel refuses what it does not know
	}
	if _, err := os.Stat(m.Source); err != nil {
		return fmt.Errorf("source: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	known := []string{
		"bind", "rbind", "rw", "ro", "suid", "nosuid", "dev", "nodev", "exec", "noexec", "none", "relatime", "noatime", "nodiratime", "strictatime",
		"private", "rprivate", "slave", "rslave", "shared", "rshared", "unbindable", "runbindable",
	}
	for _, option := range m.Options {
		if !slices.Contains(known, option) {
			return unsupported("options", "the runtime mounts %s without %q", m.Destination, option)
		}
	}
	return nil
}
