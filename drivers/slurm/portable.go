package main

import (
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// portable is a bundle on its way to another node. What only this node has is taken out of spec, and what
// has to travel is listed in copies.
type portable struct {
	spec     *specs.Spec
	who      identity
	settings *settings
	copies   []transfer
	// nodeNetwork: the container had a network that somebody made for it here, and gets the compute node's.
	nodeNetwork bool
}

// transfer is a file or directory that is copied for the compute node, as the source of a mount.
type transfer struct {
	from  string
	mount int // index in spec.Mounts
}

func newPortable(s *settings, spec *specs.Spec, who identity) *portable {
	return &portable{spec: spec, who: who, settings: s}
}

// adapt edits spec. ErrUnsupported: it asks for something that cannot be had on another node.
func (p *portable) adapt() error {
	p.takeInitOff()
	if err := p.namespaces(); err != nil {
		return err
	}
	p.process()
	p.linux()
	p.users()
	p.spec.Hooks = nil
	p.annotations()
	return p.mounts()
}

// namespaces drops what is here and nowhere else. A network that an engine made is one; whoever wants to share
// another namespace of another container cannot be served.
func (p *portable) namespaces() error {
	l := p.spec.Linux
	for i, ns := range l.Namespaces {
		if ns.Path != "" && ns.Type != specs.NetworkNamespace && ns.Type != specs.UserNamespace {
			return unsupported(fmt.Sprintf("linux.namespaces[%d]", i), "the %s namespace %s is not on the compute node", ns.Type, ns.Path)
		}
		p.nodeNetwork = p.nodeNetwork || ns.Path != "" && ns.Type == specs.NetworkNamespace
	}
	l.Namespaces = slices.DeleteFunc(l.Namespaces, func(ns specs.LinuxNamespace) bool { return ns.Path != "" })
	if !p.has(specs.MountNamespace) {
		l.Namespaces = append(l.Namespaces, specs.LinuxNamespace{Type: specs.MountNamespace})
	}
	if !p.has(specs.UTSNamespace) {
		p.spec.Hostname, p.spec.Domainname = "", ""
	}
	return nil
}

func (p *portable) has(kind specs.LinuxNamespaceType) bool {
	return slices.ContainsFunc(p.spec.Linux.Namespaces, func(ns specs.LinuxNamespace) bool { return ns.Type == kind })
}

func (p *portable) linux() {
	l := p.spec.Linux
	l.CgroupsPath, l.Resources, l.IntelRdt, l.NetDevices, l.MemoryPolicy, l.MountLabel = "", nil, nil, nil, nil, ""
	if l.Seccomp != nil {
		l.Seccomp.ListenerPath, l.Seccomp.ListenerMetadata = "", ""
	}
	maps.DeleteFunc(l.Sysctl, func(name, _ string) bool {
		name = strings.ReplaceAll(name, "/", ".")
		// The second names groups, of which the container has one.
		return strings.HasPrefix(name, "net.") && !p.has(specs.NetworkNamespace) || name == "net.ipv4.ping_group_range"
	})
	for _, device := range l.Devices {
		p.spec.Mounts = append(p.spec.Mounts, specs.Mount{Destination: device.Path, Type: "bind", Source: device.Path, Options: []string{"bind", "nosuid", "noexec"}})
	}
	l.Devices = nil
}

// users makes the container's user the job's. Other ids are nobody's on another node.
func (p *portable) users() {
	l := p.spec.Linux
	l.UIDMappings, l.GIDMappings = nil, nil
	if p.who.isRoot() {
		l.Namespaces = slices.DeleteFunc(l.Namespaces, func(ns specs.LinuxNamespace) bool { return ns.Type == specs.UserNamespace })
		return
	}
	if !p.has(specs.UserNamespace) {
		l.Namespaces = append(l.Namespaces, specs.LinuxNamespace{Type: specs.UserNamespace})
	}
	user := p.spec.Process.User
	l.UIDMappings = []specs.LinuxIDMapping{{ContainerID: user.UID, HostID: uint32(p.who.uid), Size: 1}}
	l.GIDMappings = []specs.LinuxIDMapping{{ContainerID: user.GID, HostID: uint32(p.who.gid), Size: 1}}
}

// annotations keeps those that berth takes everywhere.
func (p *portable) annotations() {
	maps.DeleteFunc(p.spec.Annotations, func(name, _ string) bool {
		kept := strings.HasPrefix(name, "org.opencontainers.image.") || name == initAnnotation
		return !kept
	})
	if p.settings.ComputeDriver != "" {
		p.annotate("org.berth.driver", p.settings.ComputeDriver)
	}
}

func (p *portable) annotate(name, value string) {
	if p.spec.Annotations == nil {
		p.spec.Annotations = map[string]string{}
	}
	p.spec.Annotations[name] = value
}

// unsupported is the error about a field of config.json.
func unsupported(field, format string, args ...any) error {
	return sdk.Mark(fmt.Errorf("%s: %w", field, fmt.Errorf(format, args...)), sdk.ErrUnsupported)
}
