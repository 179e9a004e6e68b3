package main

import (
	"fmt"
	"slices"

	"github.com/berth-hpc/berth/sdk"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// translate turns a bundle into bwrap's options, or says what it asks for that bwrap cannot do.
func translate(spec *specs.Spec, c *sdk.Container) ([]string, error) {
	p, l := spec.Process, spec.Linux
	for what, asked := range map[string]bool{
		"detached input and output": c.IO != sdk.IO{}, "hooks": spec.Hooks != nil,
		"a umask other than the task's": p.User.Umask != nil && int(*p.User.Umask) != c.Umask,
		"resource limits":               slices.ContainsFunc(p.Rlimits, func(l specs.POSIXRlimit) bool { return l != sdk.OpenFiles() }),
		"cgroup limits":                 l.Resources != nil, "devices": len(l.Devices) > 0,
		"seccomp": l.Seccomp != nil, "masked paths for root": len(l.MaskedPaths) > 0 && len(l.UIDMappings) == 0,
	} {
		if asked {
			return nil, unsupported(what)
		}
	}
	flags := []string{"--bind", spec.Root.Path, "/", "--chdir", p.Cwd, "--cap-drop", "ALL"}
	for _, n := range l.Namespaces {
		more, known := map[specs.LinuxNamespaceType][]string{
			specs.MountNamespace: {}, specs.CgroupNamespace: {"--unshare-cgroup"},
			specs.IPCNamespace: {"--unshare-ipc"}, specs.NetworkNamespace: {"--unshare-net"},
			specs.PIDNamespace:  {"--unshare-pid", "--as-pid-1"},
			specs.UTSNamespace:  {"--unshare-uts", "--hostname", spec.Hostname},
			specs.UserNamespace: {"--unshare-user", "--uid", fmt.Sprint(p.User.UID), "--gid", fmt.Sprint(p.User.GID)},
		}[n.Type]
		if !known || n.Path != "" {
			return nil, unsupported(fmt.Sprintf("the %s namespace %q", n.Type, n.Path))
		}
		flags = append(flags, more...)
	}
	for _, m := range spec.Mounts {
		bind := slices.Contains(m.Options, "bind") || slices.Contains(m.Options, "rbind")
		switch {
		case m.Destination == "/dev" && !bind: // with the devices, and the devpts, that containers have
			flags = append(flags, "--dev", "/dev")
		case bind && slices.Contains(m.Options, "ro"):
			flags = append(flags, "--ro-bind", m.Source, m.Destination)
		case bind:
			flags = append(flags, "--dev-bind", m.Source, m.Destination)
		case m.Type == "sysfs" || m.Type == "cgroup": // the node's own
			flags = append(flags, "--ro-bind", m.Destination, m.Destination)
		case m.Type == "proc" || m.Type == "tmpfs" || m.Type == "mqueue":
			flags = append(flags, "--"+m.Type, m.Destination)
		case m.Type != "devpts":
			return nil, unsupported(fmt.Sprintf("a %s mounted at %s", m.Type, m.Destination))
		}
	}
	if p.Capabilities != nil {
		for _, name := range p.Capabilities.Effective {
			flags = append(flags, "--cap-add", name)
		}
	}
	return flags, nil
}

func unsupported(what string) error {
	return sdk.Mark(fmt.Errorf("bubblewrap cannot do this: %s", what), sdk.ErrUnsupported)
}
