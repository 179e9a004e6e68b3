package drivertest

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
)

func processCases() []Case {
	return []Case{
		{"process/descent",
			"The container's processes descend from the task's own process, or are it; the driver's answer names its pid.",
			"A container started by a daemon: outside the job's limits, accounting and clean-up.",
			(*trial).descent},
		{"process/cgroup",
			"The program is in the task's control groups; where the caller is root and the runtime makes one of its own, that is noted.",
			"runc --systemd-cgroup moves the job out of Slurm's reach.",
			(*trial).cgroup},
		{"process/user",
			"The program is root inside and the caller outside, with the caller's supplementary groups.",
			"crun drops supplementary groups, and with them the project's file system.",
			(*trial).user},
		{"process/limits",
			"Every resource limit, soft and hard, is the task's own.",
			"A Go program raises its soft limit of open files and hands that on.",
			(*trial).limits},
		{"process/limits-named",
			"A resource limit that config.json names is exact, or refused as unsupported.",
			"A limit that is silently skipped.",
			(*trial).limitsNamed},
		{"process/umask",
			"The program has the umask of config.json, or that is refused as unsupported; what it has where config.json names none is noted.",
			"A driver's own umask that ends up in the job's files.",
			(*trial).umask},
		{"process/directory",
			"The program begins in the directory of config.json, with its hostname.",
			"A directory whose name a template splits at its blank.",
			(*trial).directory},
		{"process/signal-mask",
			"No signal is blocked or ignored in the program that was not so in the task; whether an ignored SIGHUP stays ignored is noted.",
			"A relay that blocks signals to read them and starts the program like that.",
			(*trial).signalMask},
		{"process/no-strays",
			"The program has no children that it has not started.",
			"A driver that was not reaped becomes the program's child, and its wait() returns a stranger.",
			(*trial).noStrays},
	}
}

func (t *trial) descent() {
	c := t.container([]string{"wait", "0"})
	task := c.waiting()
	pid := c.program()
	if !isBelow(pid, task.cmd.Process.Pid) {
		t.Errorf("the program, pid %d, does not descend from the task, pid %d", pid, task.cmd.Process.Pid)
	}
	if t.can("lifecycle") {
		state, err := c.state()
		t.must(err)
		if state.Pid != pid {
			t.Errorf("the state's pid is %d instead of %d", state.Pid, pid)
		}
	}
}

func (t *trial) cgroup() {
	c := t.container([]string{"wait", "0"})
	c.waiting()
	own, theirs := cgroups("self"), cgroups(fmt.Sprint(c.program()))
	for hierarchy, want := range own {
		switch got := theirs[hierarchy]; {
		case got == want:
		case !t.ids.needed && strings.HasPrefix(got, strings.TrimSuffix(want, "/")+"/"):
			t.Notef("root's container has a control group of its own below the task's: %s%s", hierarchy, got)
		case !t.ids.needed:
			t.Notef("root's container has a control group outside the task's: %s%s", hierarchy, got)
		default:
			t.Errorf("control group %s%s instead of %s", hierarchy, got, want)
		}
	}
}

// cgroups are a process's control groups by hierarchy (cgroups(7)).
func cgroups(pid string) map[string]string {
	text, _ := os.ReadFile("/proc/" + pid + "/cgroup")
	groups := map[string]string{}
	for line := range strings.Lines(string(text)) {
		if fields := strings.SplitN(strings.TrimSpace(line), ":", 3); len(fields) == 3 {
			groups[fields[1]] = fields[2]
		}
	}
	return groups
}

func (t *trial) user() {
	c := t.container([]string{"wait", "0"})
	c.waiting()
	own, theirs := statusFields("self"), statusFields(fmt.Sprint(c.program()))
	for _, field := range []string{"Uid", "Gid"} {
		if own[field] != theirs[field] {
			t.Errorf("%s is %s instead of %s, as the node sees it", field, theirs[field], own[field])
		}
	}
	for _, group := range strings.Fields(own["Groups"]) {
		if t.ids.needed && !slices.Contains(strings.Fields(theirs["Groups"]), group) {
			t.Errorf("supplementary group %s is lost: %q instead of %q", group, theirs["Groups"], own["Groups"])
		}
	}
	r := t.report(t.container([]string{"report"}), launcher.Request{}, streams{})
	if r.UID != 0 || r.GID != 0 {
		t.Errorf("uid %d and gid %d inside instead of root's", r.UID, r.GID)
	}
}

// statusFields is /proc/PID/status as this process's user namespace sees it.
func statusFields(pid string) map[string]string {
	text, _ := os.ReadFile("/proc/" + pid + "/status")
	fields := map[string]string{}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		fields[name] = strings.Join(strings.Fields(value), " ")
	}
	return fields
}

func (t *trial) umask() {
	for _, want := range []uint32{0o027, 0o002} {
		c := t.container([]string{"report"}, func(spec *specs.Spec) { spec.Process.User.Umask = &want })
		mask := int(want)
		r := t.report(c, launcher.Request{Umask: &mask}, streams{})
		if r.Umask != int(want) {
			t.Errorf("umask %03o instead of %03o", r.Umask, want)
		}
	}
	mask := 0o027
	if r := t.report(t.container([]string{"report"}), launcher.Request{Umask: &mask}, streams{}); r.Umask != mask {
		t.Notef("where config.json names no umask the runtime sets %03o instead of keeping the task's", r.Umask)
	}
}

func (t *trial) directory() {
	c := t.container([]string{"report"}, func(spec *specs.Spec) { spec.Process.Cwd = "/work dir" })
	r := t.report(c, launcher.Request{}, streams{})
	if r.Dir != "/work dir" {
		t.Errorf("directory %q instead of %q", r.Dir, "/work dir")
	}
	if r.Hostname != c.spec.Hostname && !t.lacks(Isolation) {
		t.Errorf("hostname %q instead of %q", r.Hostname, c.spec.Hostname)
	}
}

func (t *trial) signalMask() {
	const hangup = 1 << (unix.SIGHUP - 1)
	for _, ignore := range []bool{false, true} {
		r := t.report(t.container([]string{"report"}), launcher.Request{IgnoreHUP: ignore}, streams{})
		blocked, err1 := strconv.ParseUint(r.Status["SigBlk"], 16, 64)
		ignored, err2 := strconv.ParseUint(r.Status["SigIgn"], 16, 64)
		if err1 != nil || err2 != nil {
			t.Fatalf("the container's /proc/self/status names no signal mask: %q", r.Status)
		}
		if blocked != 0 {
			t.Errorf("blocked signals: %#x", blocked)
		}
		if ignore && ignored&hangup == 0 {
			t.Notef("SIGHUP, ignored in the task, has its default in the program: the runtime catches it to pass it on")
		}
		if ignore {
			ignored &^= hangup
		}
		// The C library's own two: its posix_spawn, which make uses, leaves them ignored.
		ignored &^= 1<<(32-1) | 1<<(33-1)
		if ignored != 0 {
			t.Errorf("ignored signals: %#x", ignored)
		}
	}
}

func (t *trial) noStrays() {
	for _, e := range []edit{func(*specs.Spec) {}, withoutPidNamespace} {
		c := t.container([]string{"report"}, e)
		if r := t.report(c, launcher.Request{}, streams{}); r.Children {
			t.Errorf("the program has a child at its start")
		}
		if a, _ := c.tasks[0].plan(); len(a.Strays) > 0 {
			t.Errorf("the driver left processes behind: %v", a.Strays)
		}
	}
}
