package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// request is something that config.json may ask for and the runtime does not do in native mode.
type request struct {
	field, answer string
	asked         bool
}

// isolation is the error about a request that a site may have passed over.
func isolation(field, format string, args ...any) error {
	return sdk.WithAdvice(unsupported(field, format, args...),
		"remove it from config.json, or let containers share what the node has: isolation = \"share\" in [drivers.singularity] of berth.toml")
}

// check refuses a container that asks for what the runtime cannot do, by the field of config.json.
func (d *native) check(spec *specs.Spec, c *sdk.Container) error {
	if c.IO != (sdk.IO{}) {
		return sdk.Mark(fmt.Errorf("the runtime runs in the foreground, on the streams of its caller"), sdk.ErrUnsupported)
	}
	for _, r := range append(ofProcess(spec.Process, c), ofContainer(spec, c)...) {
		if r.asked {
			return unsupported(r.field, "%s", r.answer)
		}
	}
	for _, r := range ofIsolation(spec) {
		if r.asked && d.settings.Isolation != share {
			return isolation(r.field, "%s", r.answer)
		}
	}
	return nil
}

func ofProcess(p *specs.Process, c *sdk.Container) []request {
	umask := p.User.Umask
	return []request{
		{"process.user.umask", fmt.Sprintf("the runtime keeps the task's own, %03o", c.Umask), umask != nil && int(*umask) != c.Umask},
		{"process.user.additionalGids", "the runtime keeps the caller's groups", len(p.User.AdditionalGids) > 0},
		{"process.apparmorProfile", "the runtime applies none without root's rights", p.ApparmorProfile != ""},
		{"process.selinuxLabel", "the runtime applies none without root's rights", p.SelinuxLabel != ""},
		{"process.oomScoreAdj", "the runtime does not set it", p.OOMScoreAdj != nil},
		{"process.scheduler", "the runtime does not set it", p.Scheduler != nil},
		{"process.ioPriority", "the runtime does not set it", p.IOPriority != nil},
		{"process.execCPUAffinity", "the runtime does not set it", p.ExecCPUAffinity != nil},
		{"process.capabilities.ambient", "ordinary users have none", p.User.UID != 0 && p.Capabilities != nil && len(p.Capabilities.Ambient) > 0},
	}
}

func ofContainer(spec *specs.Spec, c *sdk.Container) []request {
	l := spec.Linux
	propagation := []string{"", "private", "rprivate", "slave", "rslave"}
	all := []request{
		{"hooks", "the runtime runs none", !c.OnlyCleanUp(spec.Hooks)},
		{"domainname", "the runtime does not set it", spec.Domainname != ""},
		{"linux.seccomp", "the runtime has no filters of the container's choice", l.Seccomp != nil},
		{"linux.sysctl", "the runtime sets none", len(l.Sysctl) > 0},
		{"linux.cgroupsPath", "the runtime stays in the caller's control group", l.CgroupsPath != ""},
		{"linux.resources", "the runtime stays in the caller's control group, and sets no limits", hasLimits(l.Resources)},
		{"linux.rootfsPropagation", "the runtime's mounts are private", !slices.Contains(propagation, l.RootfsPropagation)},
		{"linux.mountLabel", "the runtime applies none", l.MountLabel != ""},
		{"linux.intelRdt", "the runtime does not set it", l.IntelRdt != nil},
		{"linux.memoryPolicy", "the runtime does not set it", l.MemoryPolicy != nil},
		{"linux.personality", "the runtime does not set it", l.Personality != nil},
		{"linux.netDevices", "the runtime moves none", len(l.NetDevices) > 0},
		{"linux.timeOffsets", "the runtime makes no time namespace", len(l.TimeOffsets) > 0},
		{"hostname", "it needs a UTS namespace", spec.Hostname != "" && !namespace(l, specs.UTSNamespace)},
	}
	for i, n := range l.Namespaces {
		field := fmt.Sprintf("linux.namespaces[%d]", i)
		made := n.Type != specs.CgroupNamespace && n.Type != specs.TimeNamespace
		all = append(all,
			request{field, fmt.Sprintf("the runtime does not join the %s namespace %s", n.Type, n.Path), n.Path != ""},
			request{field, fmt.Sprintf("the runtime makes no %s namespace", n.Type), !made && n.Type != specs.CgroupNamespace})
	}
	return all
}

// ofIsolation are the requests that a site may have passed over.
func ofIsolation(spec *specs.Spec) []request {
	l, p := spec.Linux, spec.Process
	return []request{
		{"process.capabilities", "the runtime's root has all of them, in a user namespace", p.Capabilities != nil && p.User.UID == 0},
		{"linux.resources.devices", "the runtime sets no rules for devices", l.Resources != nil && len(l.Resources.Devices) > 0},
		{"linux.maskedPaths", "the runtime hides nothing of the node's /proc and /sys", len(l.MaskedPaths) > 0},
		{"linux.readonlyPaths", "the runtime changes nothing of the node's /proc and /sys", len(l.ReadonlyPaths) > 0},
		{"linux.namespaces", "the runtime makes no cgroup namespace", namespace(l, specs.CgroupNamespace)},
	}
}

func namespace(l *specs.Linux, kind specs.LinuxNamespaceType) bool {
	return slices.ContainsFunc(l.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == kind })
}

// userFlags map the container's user to the caller: the runtime can make the caller itself, or root
// and, with subordinate IDs, others, of it.
func userFlags(f *found, u specs.User, l *specs.Linux) ([]string, error) {
	for _, id := range []struct {
		field string
		id    uint32
		own   int
		maps  []specs.LinuxIDMapping
	}{{"uid", u.UID, os.Geteuid(), l.UIDMappings}, {"gid", u.GID, os.Getegid(), l.GIDMappings}} {
		outside := int64(-1)
		if len(id.maps) == 0 {
			outside = int64(id.id)
		}
		for _, m := range id.maps {
			if id.id >= m.ContainerID && id.id-m.ContainerID < m.Size {
				outside = int64(m.HostID) + int64(id.id-m.ContainerID)
			}
		}
		if outside != int64(id.own) || id.id != 0 && id.id != uint32(id.own) {
			return nil, unsupported("process.user."+id.field, "the runtime runs as its caller, %d on this node, by that number or as root", id.own)
		}
	}
	if (u.UID == 0) != (u.GID == 0) && os.Geteuid() != 0 {
		return nil, unsupported("process.user", "the runtime makes root of both user and group of its caller, or of neither")
	}
	switch alone := len(l.UIDMappings) < 2; {
	case u.UID != 0 || os.Geteuid() == 0:
		return nil, nil
	case alone: // Apptainer can, by a process in front that makes 255 of a signal and outlives SIGKILL
		return nil, unsupported("process.user.uid", "the runtime makes root only of a caller with lines in /etc/subuid and /etc/subgid")
	case f.partial:
		return []string{"--fakeroot", "--ignore-fakeroot-command"}, nil
	}
	return []string{"--fakeroot"}, nil
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
