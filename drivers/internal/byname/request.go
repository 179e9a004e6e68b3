package byname

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// request is something that config.json may ask for and the runtime does not do.
type request struct {
	field, answer string
	asked         bool
	isolation     bool // more than the runtime gives: a site may let containers share
}

func (r *Runtime) answer(requests []request) error {
	for _, one := range requests {
		switch {
		case !one.asked || one.isolation && r.Share:
		case one.isolation:
			return sdk.WithAdvice(r.unsupported(one.field, "%s", one.answer), fmt.Sprintf(
				"remove it from config.json, or let containers share what the node has: isolation = \"share\" in [drivers.%s] of berth.toml", r.Name))
		default:
			return r.unsupported(one.field, "%s", one.answer)
		}
	}
	return nil
}

// requests are all that the runtime has no means for.
func (r *Runtime) requests(spec *specs.Spec, c *sdk.Container) []request {
	all := slices.Concat(r.ofProcess(spec.Process, c), r.ofContainer(spec, c))
	for i, n := range spec.Linux.Namespaces {
		field := fmt.Sprintf("linux.namespaces[%d]", i)
		made := n.Type == specs.MountNamespace || n.Type == specs.UserNamespace // the means by which others mount for a user
		all = append(all,
			request{field: field, answer: fmt.Sprintf("%s does not join the %s namespace %s", r.Name, n.Type, n.Path), asked: n.Path != ""},
			request{field: field, answer: fmt.Sprintf("the driver has %s make no %s namespace", r.Name, n.Type), asked: !made, isolation: true})
	}
	return all
}

func (r *Runtime) ofProcess(p *specs.Process, c *sdk.Container) []request {
	umask := p.User.Umask
	limits := slices.ContainsFunc(p.Rlimits, func(l specs.POSIXRlimit) bool { return l != sdk.OpenFiles() })
	no := r.Name + " has no means for it"
	return []request{
		{field: "process.user.uid", answer: fmt.Sprintf("%s runs as its caller, %d on this node, not as %d", r.Name, os.Geteuid(), p.User.UID), asked: int(p.User.UID) != os.Geteuid(), isolation: true},
		{field: "process.user.gid", answer: fmt.Sprintf("%s runs as its caller, in group %d on this node, not in %d", r.Name, os.Getegid(), p.User.GID), asked: int(p.User.GID) != os.Getegid(), isolation: true},
		{field: "process.user.umask", answer: fmt.Sprintf("%s keeps the task's own, %03o", r.Name, c.Umask), asked: umask != nil && int(*umask) != c.Umask},
		{field: "process.user.additionalGids", answer: r.Name + " keeps the caller's groups", asked: len(p.User.AdditionalGids) > 0},
		{field: "process.apparmorProfile", answer: no, asked: p.ApparmorProfile != ""},
		{field: "process.selinuxLabel", answer: no, asked: p.SelinuxLabel != ""},
		{field: "process.oomScoreAdj", answer: no, asked: p.OOMScoreAdj != nil},
		{field: "process.scheduler", answer: no, asked: p.Scheduler != nil},
		{field: "process.ioPriority", answer: no, asked: p.IOPriority != nil},
		{field: "process.execCPUAffinity", answer: no, asked: p.ExecCPUAffinity != nil},
		{field: "process.rlimits", answer: r.Name + " keeps the task's own", asked: limits},
		{field: "process.capabilities", answer: r.Name + " gives none", asked: p.Capabilities != nil && len(p.Capabilities.Effective)+len(p.Capabilities.Ambient) > 0, isolation: true},
	}
}

func (r *Runtime) ofContainer(spec *specs.Spec, c *sdk.Container) []request {
	l := spec.Linux
	no := r.Name + " has no means for it"
	return []request{
		{field: "hooks", answer: r.Name + " runs none of a bundle's", asked: !c.OnlyCleanUp(spec.Hooks)},
		{field: "root.readonly", answer: r.Name + "'s images cannot be written", asked: !spec.Root.Readonly},
		{field: "linux.devices", answer: r.Name + " gives the node's /dev as the site has it", asked: len(l.Devices) > 0},
		{field: "linux.seccomp", answer: no, asked: l.Seccomp != nil},
		{field: "linux.sysctl", answer: no, asked: len(l.Sysctl) > 0},
		{field: "linux.cgroupsPath", answer: r.Name + " stays in the caller's control group", asked: l.CgroupsPath != ""},
		{field: "linux.resources", answer: r.Name + " sets no limits", asked: hasLimits(l.Resources)},
		{field: "linux.rootfsPropagation", answer: no, asked: !slices.Contains([]string{"", "private", "rprivate", "slave", "rslave"}, l.RootfsPropagation)},
		{field: "linux.mountLabel", answer: no, asked: l.MountLabel != ""},
		{field: "linux.intelRdt", answer: no, asked: l.IntelRdt != nil},
		{field: "linux.memoryPolicy", answer: no, asked: l.MemoryPolicy != nil},
		{field: "linux.personality", answer: no, asked: l.Personality != nil},
		{field: "linux.netDevices", answer: no, asked: len(l.NetDevices) > 0},
		{field: "linux.timeOffsets", answer: no, asked: len(l.TimeOffsets) > 0},
		{field: "linux.resources.devices", answer: r.Name + " sets no rules for devices", asked: l.Resources != nil && len(l.Resources.Devices) > 0, isolation: true},
		{field: "linux.maskedPaths", answer: r.Name + " hides nothing of the node's", asked: len(l.MaskedPaths) > 0, isolation: true},
		{field: "linux.readonlyPaths", answer: r.Name + " changes nothing of the node's", asked: len(l.ReadonlyPaths) > 0, isolation: true},
		{field: "hostname", answer: r.Name + " keeps the node's", asked: spec.Hostname != "", isolation: true},
		{field: "domainname", answer: r.Name + " keeps the node's", asked: spec.Domainname != "", isolation: true},
	}
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
