package main

import (
	"fmt"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/sdk"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// translate turns a bundle into bwrap's options, or says what it asks for that bwrap cannot do.
func translate(spec *specs.Spec, c *sdk.Container) ([]string, error) {
	p, l := spec.Process, spec.Linux
	limits := slices.ContainsFunc(p.Rlimits, func(r specs.POSIXRlimit) bool { return r != sdk.OpenFiles() })
	for what, asked := range map[string]bool{
		"input or output": c.IO != sdk.IO{}, "process.user.umask": p.User.Umask != nil && int(*p.User.Umask) != c.Umask, "process.rlimits": limits,
		"process.oomScoreAdj": p.OOMScoreAdj != nil, "hooks": !c.OnlyCleanUp(spec.Hooks), "linux.seccomp": l.Seccomp != nil, "linux.sysctl": len(l.Sysctl) > 0,
		"linux.resources": l.Resources != nil, "linux.devices": len(l.Devices) > 0, "linux.maskedPaths": len(l.MaskedPaths) > 0, "linux.readonlyPaths": len(l.ReadonlyPaths) > 0,
	} {
		if asked {
			return nil, unsupported(what)
		}
	}
	flags := []string{map[bool]string{false: "--bind", true: "--ro-bind"}[spec.Root.Readonly], spec.Root.Path, "/", "--chdir", p.Cwd, "--cap-drop", "ALL"}
	for _, n := range l.Namespaces {
		more, known := map[specs.LinuxNamespaceType][]string{
			specs.MountNamespace: {}, specs.CgroupNamespace: {"--unshare-cgroup"},
			specs.IPCNamespace: {"--unshare-ipc"}, specs.NetworkNamespace: {"--unshare-net"},
			specs.PIDNamespace:  {"--unshare-pid", "--as-pid-1"},
			specs.UTSNamespace:  {"--unshare-uts", "--hostname", spec.Hostname},
			specs.UserNamespace: {"--unshare-user", "--uid", fmt.Sprint(p.User.UID), "--gid", fmt.Sprint(p.User.GID)},
		}[n.Type]
		if !known || n.Path != "" {
			return nil, unsupported(fmt.Sprintf("a namespace of type %s with the path %q", n.Type, n.Path))
		}
		flags = append(flags, more...)
	}
	for _, m := range spec.Mounts {
		has := func(option string) bool { return slices.Contains(m.Options, option) }
		switch bind, kernel := has("bind") || has("rbind"), m.Type == "sysfs" || m.Type == "cgroup"; {
		case has("noexec") && (bind || m.Type == "tmpfs") && !strings.HasPrefix(m.Destination, "/dev/"), has("ro") && !bind && !kernel:
			return nil, unsupported(fmt.Sprintf("mounts[%q].options %q", m.Destination, m.Options))
		case m.Destination == "/dev" && !bind: // with the devices, and the devpts, that containers have
			flags = append(flags, "--dev", "/dev")
		case bind && has("ro"):
			flags = append(flags, "--ro-bind", m.Source, m.Destination)
		case kernel: // the node's own
			flags = append(flags, "--ro-bind", m.Destination, m.Destination)
		case bind: // both are nosuid
			flags = append(flags, map[bool]string{false: "--dev-bind", true: "--bind"}[has("nodev")], m.Source, m.Destination)
		case m.Type == "proc" || m.Type == "tmpfs" || m.Type == "mqueue":
			flags = append(flags, "--"+m.Type, m.Destination)
		case m.Type != "devpts":
			return nil, unsupported(fmt.Sprintf("mounts[%q].type %q", m.Destination, m.Type))
		}
	}
	if p.Capabilities != nil {
		for _, name := range p.Capabilities.Effective {
			flags = append(flags, "--cap-add", name)
		}
	}
	return append(flags, "--"), nil
}

func unsupported(what string) error {
	return sdk.Mark(fmt.Errorf("bubblewrap cannot do this: %s", what), sdk.ErrUnsupported)
}
