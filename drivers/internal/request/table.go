package request

import (
	"encoding/json"
	"fmt"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// OfProcess are the requests of a process, the container's first or a further one.
func (r Runtime) OfProcess(p *specs.Process, c *sdk.Container) []Request {
	umask := p.User.Umask
	return []Request{
		{Field: "process.user.umask", Answer: fmt.Sprintf("%s keeps the task's own, %03o", r.Name, c.Umask), Asked: umask != nil && int(*umask) != c.Umask},
		{Field: "process.user.additionalGids", Answer: r.Name + " keeps the caller's groups", Asked: len(p.User.AdditionalGids) > 0},
		{Field: "process.apparmorProfile", Answer: r.Name + " applies none", Asked: p.ApparmorProfile != ""},
		{Field: "process.selinuxLabel", Answer: r.Name + " applies none", Asked: p.SelinuxLabel != ""},
		{Field: "process.oomScoreAdj", Answer: r.Name + " does not set it", Asked: p.OOMScoreAdj != nil},
		{Field: "process.scheduler", Answer: r.Name + " does not set it", Asked: p.Scheduler != nil},
		{Field: "process.ioPriority", Answer: r.Name + " does not set it", Asked: p.IOPriority != nil},
		{Field: "process.execCPUAffinity", Answer: r.Name + " does not set it", Asked: p.ExecCPUAffinity != nil},
		{Field: "process.capabilities", Answer: r.Name + "'s root has all of them, in a user namespace with a single user", Asked: p.Capabilities != nil && p.User.UID == 0, Isolation: true},
		{Field: "process.capabilities.ambient", Answer: r.Name + "'s ordinary users have none", Asked: p.Capabilities != nil && len(p.Capabilities.Ambient) > 0 && p.User.UID != 0},
	}
}

// OfContainer are the requests of a container, those of its process and namespaces excepted.
func (r Runtime) OfContainer(spec *specs.Spec, c *sdk.Container) []Request {
	l := spec.Linux
	propagation := []string{"", "private", "rprivate", "slave", "rslave"}
	return []Request{
		{Field: "hooks", Answer: r.Name + " runs none", Asked: !c.OnlyCleanUp(spec.Hooks)},
		{Field: "linux.seccomp", Answer: r.Name + " has no filters of the container's choice", Asked: l.Seccomp != nil},
		{Field: "linux.sysctl", Answer: r.Name + " sets none", Asked: len(l.Sysctl) > 0},
		{Field: "linux.cgroupsPath", Answer: r.Name + " stays in the caller's control group", Asked: l.CgroupsPath != ""},
		{Field: "linux.resources", Answer: r.Name + " stays in the caller's control group, and sets no limits", Asked: hasLimits(l.Resources)},
		{Field: "linux.rootfsPropagation", Answer: r.Name + "'s mounts are private", Asked: !slices.Contains(propagation, l.RootfsPropagation)},
		{Field: "linux.mountLabel", Answer: r.Name + " applies none", Asked: l.MountLabel != ""},
		{Field: "linux.intelRdt", Answer: r.Name + " does not set it", Asked: l.IntelRdt != nil},
		{Field: "linux.memoryPolicy", Answer: r.Name + " does not set it", Asked: l.MemoryPolicy != nil},
		{Field: "linux.personality", Answer: r.Name + " does not set it", Asked: l.Personality != nil},
		{Field: "linux.netDevices", Answer: r.Makes + " no network namespace", Asked: len(l.NetDevices) > 0},
		{Field: "linux.timeOffsets", Answer: r.Makes + " no time namespace", Asked: len(l.TimeOffsets) > 0},
		{Field: "linux.resources.devices", Answer: r.Name + " sets no rules for devices", Asked: l.Resources != nil && len(l.Resources.Devices) > 0, Isolation: true},
		{Field: "linux.maskedPaths", Answer: r.Name + " hides nothing of the node's /proc and /sys", Asked: len(l.MaskedPaths) > 0, Isolation: true},
		{Field: "linux.readonlyPaths", Answer: r.Name + " changes nothing of the node's /proc and /sys", Asked: len(l.ReadonlyPaths) > 0, Isolation: true},
		{Field: "hostname", Answer: r.Makes + " no UTS namespace", Asked: spec.Hostname != "", Isolation: true},
		{Field: "domainname", Answer: r.Makes + " no UTS namespace", Asked: spec.Domainname != "", Isolation: true},
	}
}

// OfNamespaces are the requests for namespaces, of a runtime that makes these.
func (r Runtime) OfNamespaces(l *specs.Linux, made ...specs.LinuxNamespaceType) []Request {
	var all []Request
	for i, n := range l.Namespaces {
		field := fmt.Sprintf("linux.namespaces[%d]", i)
		all = append(all,
			Request{Field: field, Answer: fmt.Sprintf("%s does not join the %s namespace %s", r.Name, n.Type, n.Path), Asked: n.Path != ""},
			Request{Field: field, Answer: fmt.Sprintf("%s no %s namespace", r.Makes, n.Type), Asked: !slices.Contains(made, n.Type), Isolation: true})
	}
	return all
}

// hasLimits says whether r limits anything but devices.
func hasLimits(r *specs.LinuxResources) bool {
	if r == nil {
		return false
	}
	rest := *r
	rest.Devices = nil
	text, err := json.Marshal(rest)
	return err != nil || string(text) != "{}"
}
