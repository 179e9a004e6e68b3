package drivertest

import (
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

// appliedCases compare what the program finds itself to be with what config.json asked for. A driver
// applies it or refuses it as unsupported.
func appliedCases() []Case {
	return append([]Case{
		{"applied/namespaces",
			"The program has namespaces of its own where config.json asks for them, and the task's elsewhere (but for user and cgroup, by a driver declared to lack isolation); what cannot be made is refused.",
			"A container that shares the node's network or processes although its bundle separates them.",
			(*trial).appliedNamespaces},
		{"applied/capabilities",
			"The effective, permitted and bounding capabilities are those of config.json, none at all too, or that is refused as unsupported.",
			"A list of capabilities that is only added to the runtime's default.",
			(*trial).appliedCapabilities},
		{"applied/no-new-privileges",
			"no_new_privs is set where config.json asks for it; whether it is without being asked for is noted.",
			"A setuid program of the image that becomes root.",
			(*trial).appliedNoNewPrivileges},
		{"applied/seccomp",
			"A system call that a seccomp filter denies fails with the filter's error, or the filter is refused as unsupported.",
			"CVE-2025-65105: apptainer took security options and silently did not apply them.",
			(*trial).appliedSeccomp},
		{"applied/oom-score",
			"The OOM score adjustment is that of config.json, or that is refused as unsupported.",
			"A job's helper that the kernel kills last instead of first.",
			(*trial).appliedOOMScore},
		{"applied/sysctl",
			"A kernel parameter of the container's own network namespace is that of config.json, or that is refused as unsupported.",
			"A parameter that is skipped because the runtime knows only some.",
			(*trial).appliedSysctl},
	}, appliedFileCases()...)
}

// appliedReport is what the program finds in a container that was changed by edits. It tries the paths,
// which end up among its arguments. The case ends as lacking where the driver refuses the container.
func (t *trial) appliedReport(paths []string, edits ...edit) (*container, *probe.Report) {
	c := t.container(append([]string{"try"}, paths...), edits...)
	return c, t.report(c, launcher.Request{}, streams{})
}

// inProc are the names that /proc/PID/ns has for config.json's (namespaces(7)).
var inProc = map[specs.LinuxNamespaceType]string{
	specs.PIDNamespace: "pid", specs.IPCNamespace: "ipc", specs.UTSNamespace: "uts", specs.MountNamespace: "mnt",
	specs.NetworkNamespace: "net", specs.CgroupNamespace: "cgroup", specs.UserNamespace: "user",
}

func (t *trial) appliedNamespaces() {
	for _, further := range [][]specs.LinuxNamespaceType{nil, {specs.NetworkNamespace}, {specs.CgroupNamespace}} {
		c, r := t.appliedReport(nil, func(spec *specs.Spec) {
			for _, kind := range further {
				spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: kind})
			}
		})
		for kind, name := range inProc {
			own, _ := os.Readlink("/proc/self/ns/" + name)
			asked := slices.ContainsFunc(c.spec.Linux.Namespaces, func(n specs.LinuxNamespace) bool { return n.Type == kind })
			switch got := r.Namespaces[name]; {
			case got == "":
				t.Errorf("the program cannot see its %s namespace", kind)
			case asked && got == own:
				t.Errorf("the program shares the node's %s namespace, although config.json asks for one of its own", kind)
			case !asked && got != own && t.lacks(Isolation) && (kind == specs.UserNamespace || kind == specs.CgroupNamespace):
			case !asked && got != own && t.lacks(Capabilities) && kind == specs.UserNamespace: // in which root has all of them
			case !asked && got != own:
				t.Errorf("the program has a %s namespace of its own that config.json does not ask for", kind)
			}
		}
	}
}

func (t *trial) appliedCapabilities() {
	for _, test := range []struct {
		caps *specs.LinuxCapabilities
		want uint64
	}{
		{capabilities(), 1<<unix.CAP_AUDIT_WRITE | 1<<unix.CAP_KILL | 1<<unix.CAP_NET_BIND_SERVICE},
		{&specs.LinuxCapabilities{}, 0},
	} {
		_, r := t.appliedReport(nil, func(spec *specs.Spec) { spec.Process.Capabilities = test.caps })
		for _, field := range []string{"CapEff", "CapPrm", "CapBnd"} {
			switch got, err := strconv.ParseUint(r.Status[field], 16, 64); {
			case err == nil && got == test.want:
			case err == nil && field == "CapBnd" && r.Status["NoNewPrivs"] == "1": // which keeps execve(2) from giving any
				t.Notef("the bounding set is %x instead of %x, to no effect under no_new_privs", got, test.want)
			default:
				t.Errorf("%s is %q instead of %x", field, r.Status[field], test.want)
			}
		}
	}
}

func (t *trial) appliedNoNewPrivileges() {
	for _, asked := range []bool{true, false} {
		_, r := t.appliedReport(nil, func(spec *specs.Spec) { spec.Process.NoNewPrivileges = asked })
		got := r.Status["NoNewPrivs"] == "1"
		if asked && !got {
			t.Errorf("no_new_privs is not set, although config.json asks for it")
		}
		if !asked && got && statusFields("self")["NoNewPrivs"] == "0" {
			t.Notef("no_new_privs is set without being asked for: setuid programs have no effect")
		}
	}
}

func (t *trial) appliedSeccomp() {
	number := uint(unix.EXDEV) // which sysinfo(2) never has
	_, r := t.appliedReport(nil, func(spec *specs.Spec) {
		spec.Linux.Seccomp = &specs.LinuxSeccomp{
			DefaultAction: specs.ActAllow,
			Syscalls:      []specs.LinuxSyscall{{Names: []string{"sysinfo"}, Action: specs.ActErrno, ErrnoRet: &number}},
		}
	})
	if r.Sysinfo != unix.EXDEV {
		t.Errorf("sysinfo(2), which the filter denies, ends with %q instead of %q", r.Sysinfo, unix.EXDEV)
	}
}

func (t *trial) appliedOOMScore() {
	want := 731 // more than any other: less needs a privilege
	_, r := t.appliedReport(nil, func(spec *specs.Spec) { spec.Process.OOMScoreAdj = &want })
	if r.OOMScoreAdj != fmt.Sprint(want) {
		t.Errorf("the OOM score adjustment is %q instead of %d", r.OOMScoreAdj, want)
	}
}

func (t *trial) appliedSysctl() {
	const name, file, want = "net.ipv4.ip_unprivileged_port_start", "/proc/sys/net/ipv4/ip_unprivileged_port_start", "81"
	_, r := t.appliedReport([]string{file}, func(spec *specs.Spec) {
		spec.Linux.Namespaces = append(spec.Linux.Namespaces, specs.LinuxNamespace{Type: specs.NetworkNamespace})
		spec.Linux.Sysctl = map[string]string{name: want}
	})
	if got := r.Paths[file].Content; got != want+"\n" {
		t.Errorf("%s is %q instead of %q", name, got, want)
	}
}
