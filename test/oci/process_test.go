package oci

import (
	"strconv"
	"strings"
	"testing"
)

// Settings of the process: arguments, environment, place, user, capabilities, limits.
func TestProcess(t *testing.T) {
	compare(t, append([]scenario{
		{name: "odd arguments", edits: []edit{args("/bin/probe", "facts", "", " ", "a b", "\"'$HOME`\\", "ä 中 \x01\n", "--", "-x", strings.Repeat("long ", 5000))}},
		{name: "odd environment", edits: []edit{env("PATH=/bin", "EMPTY=", "A=a=b", "B=new\nline", "C=$HOME `x` \"'", "ÄÖ=ü", "A=again", "HOME=/home/x")}},
		{name: "environment without =", edits: []edit{env("PATH=/bin", "NOTHING")}, shows: "?"},
		{name: "no environment", edits: []edit{env()}},
		{name: "search path", edits: []edit{args("probe", "facts")}},
		{name: "search path, not found", edits: []edit{args("no-such-program")}, shows: "create: status 1"},
		{name: "search path, later entry", edits: []edit{env("PATH=/no/such:/etc:/bin"), args("probe", "facts")}},
		{name: "program missing", edits: []edit{args("/no/such/program")}, shows: "create: status 1"},
		{name: "program not executable", edits: []edit{args("/bin/not-executable")}, shows: "create: status 1"},
		{name: "program a directory", edits: []edit{args("/bin/directory")}, shows: "?"},
		{name: "program malformed", edits: []edit{args("/bin/not-a-program")}, shows: "?"},
		{name: "interpreter missing", edits: []edit{args("/bin/no-interpreter")}, shows: "?"},
		{name: "relative program", edits: []edit{args("bin/probe", "facts")}, shows: "?"},
		{name: "relative program in cwd", edits: []edit{args("./probe", "facts"), set("/bin", "process", "cwd")}, shows: "?"},
		{name: "cwd", edits: []edit{set("/work", "process", "cwd")}, shows: `"cwd": "/work"`},
		{name: "cwd missing", edits: []edit{ownRootfs, set(true, "root", "readonly"), set("/not/there", "process", "cwd")}, shows: "?"},
		{name: "cwd missing, root writable", edits: []edit{ownRootfs, set("/not/there", "process", "cwd")}, shows: "?"},
		{name: "cwd a file", edits: []edit{set("/etc/passwd", "process", "cwd")}, shows: "create: status 1"},
		{name: "cwd relative", edits: []edit{ownRootfs, set("work", "process", "cwd")}, shows: "?"},
		{name: "cwd with dots", edits: []edit{set("/work/../work/./", "process", "cwd")}, shows: "?"},
		{name: "cwd missing in the document", edits: []edit{unsetProcess("cwd")}, shows: "?"},
		{name: "no arguments", edits: []edit{set(list{}, "process", "args")}, shows: "?"},
		{name: "no process", edits: []edit{dropped("process")}, shows: "?"},
		{name: "status", edits: []edit{args("/bin/probe", "exit", "37")}, shows: "container ended with 37"},
		{name: "status 1", edits: []edit{args("/bin/probe", "exit", "1")}, shows: "container ended with 1"},
		{name: "status 255", edits: []edit{args("/bin/probe", "exit", "255")}, shows: "container ended with 255"},
		{name: "killed by a signal", edits: []edit{without("pid"), bindProc, script("kill -USR2 $$")}, shows: "container ended with 140"},
		{name: "stdout and stderr", edits: []edit{script("echo to stdout; echo to stderr >&2")}},
		{name: "signals and limits", edits: []edit{script("grep ^Sig.*[kn]: /proc/self/status; cat /proc/self/limits")}},
	}, settings()...))
}

func settings() []scenario {
	return []scenario{
		{name: "user", edits: []edit{set(object{"uid": 1000, "gid": 1000}, "process", "user")}, shows: "?"},
		{name: "user and groups", root: true, edits: []edit{set(object{"uid": 1000, "gid": 1000, "additionalGids": list{5, 6, 4000}}, "process", "user")}},
		{name: "groups of a user", user: true, edits: []edit{set(object{"uid": 0, "gid": 0, "additionalGids": list{5}}, "process", "user")}, shows: "?", differs: map[string]string{"crun": "create: status 1"}},
		{name: "umask", edits: []edit{set(object{"uid": 0, "gid": 0, "umask": 0o77}, "process", "user")}, shows: `"umask": "0077"`},
		{name: "umask 0", edits: []edit{set(object{"uid": 0, "gid": 0, "umask": 0}, "process", "user")}, shows: `"umask": "0000"`},
		{name: "capabilities", edits: []edit{capabilities("CAP_KILL", "CAP_NET_BIND_SERVICE", "CAP_AUDIT_WRITE")}, shows: "CapEff: 00000000200004"},
		{name: "capabilities, each set another", edits: []edit{mixedCapabilities}},
		{name: "capabilities of a user", root: true, edits: []edit{capabilities("CAP_KILL"), set(object{"uid": 1000, "gid": 1000}, "process", "user")}},
		{name: "capability unknown", edits: []edit{capabilities("CAP_SURPRISE")}, shows: "?"},
		{name: "capabilities, all", edits: []edit{capabilities(allCapabilities()...)}},
		{name: "no new privileges", edits: []edit{set(true, "process", "noNewPrivileges")}, shows: "NoNewPrivs: 1"},
		{name: "limits", edits: []edit{set(list{
			object{"type": "RLIMIT_NOFILE", "soft": 100, "hard": 200}, object{"type": "RLIMIT_CORE", "soft": 0, "hard": 0},
			object{"type": "RLIMIT_NPROC", "soft": 500, "hard": 600}, object{"type": "RLIMIT_STACK", "soft": 1 << 20, "hard": 1 << 22},
			object{"type": "RLIMIT_AS", "soft": 1 << 32, "hard": 1 << 33}}, "process", "rlimits"), script("cat /proc/self/limits")}},
		{name: "limit unknown", edits: []edit{set(list{object{"type": "RLIMIT_SURPRISE", "soft": 1, "hard": 1}}, "process", "rlimits")}, shows: "create: status 1"},
		{name: "limit twice", edits: []edit{set(list{object{"type": "RLIMIT_CORE", "soft": 1, "hard": 1}, object{"type": "RLIMIT_CORE", "soft": 0, "hard": 0}}, "process", "rlimits")}, shows: "?"},
		{name: "limit soft above hard", edits: []edit{set(list{object{"type": "RLIMIT_CORE", "soft": 2, "hard": 1}}, "process", "rlimits")}, shows: "create: status 1"},
		{name: "oom score", edits: []edit{set(500, "process", "oomScoreAdj")}, shows: `"oom_score_adj": "500"`},
		{name: "oom score lowered", edits: []edit{set(-500, "process", "oomScoreAdj")}, shows: "?"},
		{name: "oom score out of range", edits: []edit{set(5000, "process", "oomScoreAdj")}, shows: "create: status 1"},
		{name: "sysctl", edits: []edit{namespace("network"), sysctl("net.ipv4.ip_forward", "1"), sysctl("net.ipv4.ping_group_range", "0 0"), sysctl("kernel.shm_rmid_forced", "1"), sysctl("kernel.msgmax", "4096")}, shows: "?"},
		{name: "sysctl with slashes", edits: []edit{namespace("network"), sysctl("net/ipv4/ip_forward", "1")}, shows: "?"},
		{name: "sysctl of the node", edits: []edit{sysctl("vm.swappiness", "1")}, shows: "create: status 1"},
		{name: "sysctl without its namespace", edits: []edit{sysctl("net.ipv4.ip_forward", "1")}, shows: "create: status 1"},
		{name: "seccomp", edits: []edit{seccomp("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "mkdir", "mkdirat"), mount("tmpfs", "tmpfs", "/tmp"), script("mkdir /tmp/x; grep ^Seccomp: /proc/self/status")}, shows: "not permitted"},
		{name: "seccomp, error number", edits: []edit{seccompErrno, mount("tmpfs", "tmpfs", "/tmp"), script("mkdir /tmp/x")}, shows: "?"},
		{name: "seccomp, kill", edits: []edit{seccomp("SCMP_ACT_ALLOW", "SCMP_ACT_KILL", "mkdir", "mkdirat"), mount("tmpfs", "tmpfs", "/tmp"), script("mkdir /tmp/x; echo $?")}, shows: "159"},
		{name: "seccomp, no new privileges", edits: []edit{seccomp("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "ptrace"), set(true, "process", "noNewPrivileges")}, shows: "Seccomp: 2"},
		{name: "seccomp unknown action", edits: []edit{seccomp("SCMP_ACT_ALLOW", "SCMP_ACT_SURPRISE", "mkdir")}, shows: "create: status 1"},
		{name: "seccomp unknown call", edits: []edit{seccomp("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "surprise")}, shows: "?"},
		{name: "apparmor", edits: []edit{set("surprise", "process", "apparmorProfile")}, shows: "?"},
		{name: "selinux", edits: []edit{set("system_u:system_r:container_t:s0", "process", "selinuxLabel")}, shows: "?"},
		{name: "personality", edits: []edit{set(object{"domain": "LINUX32"}, "linux", "personality")}, shows: "?"},
		{name: "scheduler", edits: []edit{set("1.2.0", "ociVersion"), set(object{"policy": "SCHED_BATCH", "nice": 3}, "process", "scheduler")}, shows: "?", differs: lowered},
		{name: "io priority", edits: []edit{set("1.2.0", "ociVersion"), set(object{"class": "IOPRIO_CLASS_BE", "priority": 4}, "process", "ioPriority")}, shows: "?", differs: lowered},
		{name: "cpu affinity", edits: []edit{set("1.2.1", "ociVersion"), set(object{"initial": "0", "final": "0"}, "process", "execCPUAffinity")}, shows: "?"},
		{name: "annotations", edits: []edit{set(object{"org.example.x": "y", "empty": ""}, "annotations")}},
		{name: "intelRdt", edits: []edit{set(object{"closID": "x", "l3CacheSchema": "L3:0=f"}, "linux", "intelRdt")}, shows: "?"},
		{name: "crun's annotation for groups", user: true, runtime: "crun", edits: []edit{set(object{"run.oci.keep_original_groups": "1"}, "annotations")}},
	}
}

// lowered: crun 1.8 refuses version 1.2, which berth-oci lowers to the one that has what is in use.
var lowered = map[string]string{"crun": "container ended with 0"}

func env(variables ...any) edit { return set(list(variables), "process", "env") }

func unsetProcess(name string) edit {
	return func(_ *box, config object) { delete(config["process"].(object), name) }
}

func sysctl(name, value string) edit { return set(value, "linux", "sysctl", name) }

func capabilities(names ...any) edit {
	sets := object{}
	for _, kind := range [...]string{"bounding", "effective", "inheritable", "permitted", "ambient"} {
		sets[kind] = list(names)
	}
	return set(sets, "process", "capabilities")
}

func mixedCapabilities(b *box, config object) {
	set(object{
		"bounding": list{"CAP_CHOWN", "CAP_KILL", "CAP_SETUID", "CAP_FOWNER"}, "permitted": list{"CAP_CHOWN", "CAP_KILL", "CAP_SETUID"},
		"effective": list{"CAP_KILL"}, "inheritable": list{"CAP_CHOWN", "CAP_SETUID"}, "ambient": list{"CAP_CHOWN"},
	}, "process", "capabilities")(b, config)
}

// allCapabilities are those that the caller may give: capabilities(7).
func allCapabilities() list {
	var all list
	_, bounding, _ := strings.Cut(read("/proc/self/status"), "CapBnd:\t")
	may, _ := strconv.ParseUint(strings.SplitN(bounding, "\n", 2)[0], 16, 64)
	for name := range strings.FieldsSeq(`CHOWN DAC_OVERRIDE DAC_READ_SEARCH FOWNER FSETID KILL SETGID SETUID SETPCAP
		LINUX_IMMUTABLE NET_BIND_SERVICE NET_BROADCAST NET_ADMIN NET_RAW IPC_LOCK IPC_OWNER SYS_MODULE SYS_RAWIO SYS_CHROOT
		SYS_PTRACE SYS_PACCT SYS_ADMIN SYS_BOOT SYS_NICE SYS_RESOURCE SYS_TIME SYS_TTY_CONFIG MKNOD LEASE AUDIT_WRITE
		AUDIT_CONTROL SETFCAP MAC_OVERRIDE MAC_ADMIN SYSLOG WAKE_ALARM BLOCK_SUSPEND AUDIT_READ PERFMON BPF CHECKPOINT_RESTORE`) {
		if may&1 != 0 {
			all = append(all, "CAP_"+name)
		}
		may >>= 1
	}
	return all
}

func seccomp(usual, action string, calls ...any) edit {
	return set(object{"defaultAction": usual, "architectures": list{"SCMP_ARCH_X86_64"},
		"syscalls": list{object{"names": list(calls), "action": action}}}, "linux", "seccomp")
}

func seccompErrno(b *box, config object) {
	const exdev = 18
	seccomp("SCMP_ACT_ALLOW", "SCMP_ACT_ERRNO", "mkdir", "mkdirat")(b, config)
	rule := config["linux"].(object)["seccomp"].(object)["syscalls"].(list)[0].(object)
	rule["errnoRet"] = exdev
}
