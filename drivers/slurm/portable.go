package main

import (
	"fmt"
	"maps"
	"path"
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

// The names of what berth adds to every container on its node, which the other node's berth adds again.
const (
	initName       = ".berth-init"
	statusName     = ".berth-status"
	initAnnotation = "org.berth.init"
)

// takeInitOff leaves the command as the user gave it.
func (p *portable) takeInitOff() {
	args := p.spec.Process.Args
	if len(args) > 0 && path.Base(args[0]) == initName {
		end := slices.Index(args, "--")
		if slices.Contains(args[:end+1], "--init") {
			p.annotate(initAnnotation, "true")
		}
		p.spec.Process.Args = args[end+1:]
	}
	p.spec.Mounts = slices.DeleteFunc(p.spec.Mounts, func(m specs.Mount) bool {
		name := path.Base(m.Destination)
		return name == initName || name == statusName
	})
}

func (p *portable) annotate(name, value string) {
	if p.spec.Annotations == nil {
		p.spec.Annotations = map[string]string{}
	}
	p.spec.Annotations[name] = value
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

// process drops limits, labels and priorities of this node: Slurm hands the submitter's limits on. Variables
// that describe another job or step would hide what Slurm says of this one; those of the job that the container
// is to be a step of, Slurm does not say again.
func (p *portable) process() {
	q := p.spec.Process
	dropLocal(q)
	same := variable(q.Env, jobVariable) != ""
	q.Env = slices.DeleteFunc(slices.Clone(q.Env), func(entry string) bool {
		ofJob := strings.HasPrefix(entry, "SLURM_JOB_") || strings.HasPrefix(entry, "SLURM_SUBMIT_") || strings.HasPrefix(entry, "SLURM_CLUSTER_")
		return strings.HasPrefix(entry, "SLURM_") && !(same && ofJob) || strings.HasPrefix(entry, "BERTH_DRIVER=")
	})
	if len(q.Args) > 0 {
		q.Args = slices.Clone(q.Args)
		q.Args[0] = found(p.spec.Root.Path, q.Args[0], variable(q.Env, "PATH"))
	}
}

// dropLocal drops what a process has of the node that it was meant for.
func dropLocal(q *specs.Process) {
	q.Rlimits, q.OOMScoreAdj, q.Scheduler, q.IOPriority, q.ExecCPUAffinity, q.ConsoleSize = nil, nil, nil, nil, nil, nil
	q.ApparmorProfile, q.SelinuxLabel = "", ""
	q.User.AdditionalGids = nil
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

// unsupported is the error about a field of config.json.
func unsupported(field, format string, args ...any) error {
	return sdk.Mark(fmt.Errorf("%s: %w", field, fmt.Errorf(format, args...)), sdk.ErrUnsupported)
}
