package main

import (
	"encoding/json"
	"fmt"
	"os"
	"slices"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// request is something that config.json may ask for and enroot does not do.
type request struct {
	field, answer string
	asked         bool
	isolation     bool // more isolation than enroot gives: a site may let containers share
}

// isolation is the error about a request that a site may have passed over.
func isolation(field, format string, args ...any) error {
	return sdk.WithAdvice(unsupported(field, format, args...),
		"remove it from config.json, or let containers share what the node has: isolation = \"share\" in [drivers.enroot] of berth.toml")
}

// check refuses a container that asks for what enroot cannot do, by the field of config.json.
func (d *driver) check(spec *specs.Spec, c *sdk.Container) error {
	if err := checkIO(c.IO, c.Files); err != nil {
		return err
	}
	if err := checkUser(spec.Process.User, spec.Linux); err != nil {
		return err
	}
	return d.answer(slices.Concat(namespaces(spec.Linux), processRequests(spec.Process, c), ofContainer(spec, c)))
}

func (d *driver) answer(requests []request) error {
	for _, r := range requests {
		switch {
		case !r.asked || r.isolation && d.settings.Isolation == share:
		case r.isolation:
			return isolation(r.field, "%s", r.answer)
		default:
			return unsupported(r.field, "%s", r.answer)
		}
	}
	return nil
}

// processRequests are those of a process, the container's first or a further one.
func processRequests(p *specs.Process, c *sdk.Container) []request {
	umask := p.User.Umask
	return []request{
		{field: "process.user.umask", answer: fmt.Sprintf("enroot keeps the task's own, %03o", c.Umask), asked: umask != nil && int(*umask) != c.Umask},
		{field: "process.user.additionalGids", answer: "enroot keeps the caller's groups", asked: len(p.User.AdditionalGids) > 0},
		{field: "process.apparmorProfile", answer: "enroot applies none", asked: p.ApparmorProfile != ""},
		{field: "process.selinuxLabel", answer: "enroot applies none", asked: p.SelinuxLabel != ""},
		{field: "process.oomScoreAdj", answer: "enroot does not set it", asked: p.OOMScoreAdj != nil},
		{field: "process.scheduler", answer: "enroot does not set it", asked: p.Scheduler != nil},
		{field: "process.ioPriority", answer: "enroot does not set it", asked: p.IOPriority != nil},
		{field: "process.execCPUAffinity", answer: "enroot does not set it", asked: p.ExecCPUAffinity != nil},
		{field: "process.capabilities", answer: "enroot's root has all of them, in a user namespace with a single user", asked: p.Capabilities != nil && p.User.UID == 0, isolation: true},
		{field: "process.capabilities.ambient", answer: "enroot's ordinary users have none", asked: p.Capabilities != nil && len(p.Capabilities.Ambient) > 0 && p.User.UID != 0},
	}
}

func ofContainer(spec *specs.Spec, c *sdk.Container) []request {
	l := spec.Linux
	devices := l.Resources != nil && len(l.Resources.Devices) > 0
	propagation := []string{"", "private", "rprivate", "slave", "rslave"}
	return []request{
		{field: "hooks", answer: "enroot runs none", asked: hasHooks(spec.Hooks, c.Bundle)},
		{field: "linux.seccomp", answer: "enroot has a filter of its own, and none of the container's choice", asked: l.Seccomp != nil},
		{field: "linux.sysctl", answer: "enroot sets none", asked: len(l.Sysctl) > 0},
		{field: "linux.cgroupsPath", answer: "enroot stays in the caller's control group", asked: l.CgroupsPath != ""},
		{field: "linux.resources", answer: "enroot stays in the caller's control group, and sets no limits", asked: hasLimits(l.Resources)},
		{field: "linux.rootfsPropagation", answer: "enroot's mounts are private", asked: !slices.Contains(propagation, l.RootfsPropagation)},
		{field: "linux.mountLabel", answer: "enroot applies none", asked: l.MountLabel != ""},
		{field: "linux.intelRdt", answer: "enroot does not set it", asked: l.IntelRdt != nil},
		{field: "linux.memoryPolicy", answer: "enroot does not set it", asked: l.MemoryPolicy != nil},
		{field: "linux.personality", answer: "enroot does not set it", asked: l.Personality != nil},
		{field: "linux.netDevices", answer: "the driver has enroot make no network namespace", asked: len(l.NetDevices) > 0},
		{field: "linux.timeOffsets", answer: "enroot makes no time namespace", asked: len(l.TimeOffsets) > 0},
		{field: "linux.resources.devices", answer: "enroot sets no rules for devices", asked: devices, isolation: true},
		{field: "linux.maskedPaths", answer: "enroot hides nothing of the node's /proc and /sys", asked: len(l.MaskedPaths) > 0, isolation: true},
		{field: "linux.readonlyPaths", answer: "enroot changes nothing of the node's /proc and /sys", asked: len(l.ReadonlyPaths) > 0, isolation: true},
		{field: "hostname", answer: "the driver has enroot make no UTS namespace", asked: spec.Hostname != "", isolation: true},
		{field: "domainname", answer: "the driver has enroot make no UTS namespace", asked: spec.Domainname != "", isolation: true},
	}
}

func namespaces(l *specs.Linux) []request {
	var all []request
	for i, n := range l.Namespaces {
		field := fmt.Sprintf("linux.namespaces[%d]", i)
		made := n.Type == specs.MountNamespace || n.Type == specs.UserNamespace || n.Type == specs.CgroupNamespace
		all = append(all,
			request{field: field, answer: fmt.Sprintf("enroot does not join the %s namespace %s", n.Type, n.Path), asked: n.Path != ""},
			request{field: field, answer: fmt.Sprintf("the driver has enroot make no %s namespace", n.Type), asked: !made, isolation: true})
	}
	return all
}

// checkUser sees to it that the container's user is the caller: enroot maps no other, and would take
// any ID for the caller's.
func checkUser(u specs.User, l *specs.Linux) error {
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
		if outside != int64(id.own) {
			return unsupported("process.user."+id.field, "enroot can only run as its caller, %d on this node, not as %d", id.own, outside)
		}
	}
	return nil
}

// hasHooks says whether there are hooks besides the one by which berth removes the container's
// directory at its end: without that, berth's next call does it.
func hasHooks(h *specs.Hooks, bundle string) bool {
	if h == nil {
		return false
	}
	rest := *h
	rest.Poststop = slices.DeleteFunc(slices.Clone(h.Poststop), func(hook specs.Hook) bool {
		return slices.Equal(hook.Args, []string{hook.Path, "--rm", bundle})
	})
	return len(rest.Prestart)+len(rest.CreateRuntime)+len(rest.CreateContainer)+len(rest.StartContainer)+len(rest.Poststart)+len(rest.Poststop) > 0
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
