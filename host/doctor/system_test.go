package doctor

import (
	"fmt"
	"os"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCaller(t *testing.T) {
	n := goodNode(t)
	n.State.UID = 2000
	one(t, examine(t, n, caller()), StatusOK, "examined as alice (uid 2000)", "")
	n.State.UID = 0
	n.Program = "/opt/berth 2/bin/berth"
	one(t, examine(t, n, caller()), StatusNote, "as root", "setpriv --reuid 65534 --regid 65534 --clear-groups '/opt/berth 2/bin/berth' doctor")
	write(t, n, "proc/self/uid_map", "0 2000 1\n")
	one(t, examine(t, n, caller()), StatusNote, "uid 0 of a user namespace", "nsenter --target 1 --user --mount '/opt/berth 2/bin/berth' doctor")
}

func TestCgroups(t *testing.T) {
	const v1 = "32 31 0:29 / /sys/fs/cgroup/memory rw - cgroup cgroup rw,memory\n33 31 0:30 / /sys/fs/cgroup/freezer rw - cgroup cgroup rw,freezer\n"
	const v2 = "41 31 0:38 / /sys/fs/cgroup/unified rw - cgroup2 cgroup2 rw\n"
	const reboot = "grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1"
	tests := []struct {
		name, mounts, init string
		status             Status
		what, mend         string
	}{
		{"unified", unified, "systemd", StatusOK, "version 2", ""},
		{"hybrid", v1 + v2, "init", StatusWarning, "hybrid: version 2 at /sys/fs/cgroup/unified beside 2", "umount /sys/fs/cgroup/unified"},
		{"hybrid with systemd", v1 + v2, "systemd", StatusWarning, "hybrid", reboot},
		{"version 1", v1, "systemd", StatusNote, "version 1: 2 mounts, with a freezer", reboot},
		{"version 1 without freezer", v1[:strings.Index(v1, "\n")+1], "systemd", StatusNote, "without a freezer", reboot},
		{"none", "", "init", StatusWarning, "no cgroup", "mount -t cgroup2 cgroup2 /sys/fs/cgroup"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := goodNode(t)
			write(t, n, "proc/1/comm", test.init+"\n")
			write(t, n, "proc/self/mountinfo", procRow+test.mounts)
			one(t, examine(t, n, cgroups()), test.status, test.what, test.mend)
		})
	}
	t.Run("not delegated", func(t *testing.T) {
		n := goodNode(t)
		n.State.UID = 2000
		remove(t, n, "sys/fs/cgroup/job/cgroup.procs")
		one(t, examine(t, n, cgroups()), StatusNote, "without delegation to alice", "systemd-run --user --scope --property Delegate=yes /usr/bin/berth doctor")
	})
}

func TestProcfs(t *testing.T) {
	row := func(options string) string {
		return "31 30 0:22 / /proc rw shared:5 master:1 - proc proc rw" + options + "\n"
	}
	const remount = "mount -o remount,hidepid=0 /proc"
	tests := []struct {
		mounts     string
		status     Status
		what, mend string
	}{
		{row(""), StatusOK, "every process", ""},
		{row(",hidepid=0"), StatusOK, "every process", ""},
		{row(",hidepid=off"), StatusOK, "every process", ""},
		{row(",gid=5,hidepid=2"), StatusWarning, "hidepid=2", remount},
		{row(",hidepid=invisible"), StatusWarning, "hidepid=invisible", remount},
		{row(",hidepid=1"), StatusWarning, "hidepid=1", remount},
		{row(",hidepid=2") + row(""), StatusOK, "every process", ""}, // mounted over
		{"", StatusBroken, "no proc", "mount -t proc proc /proc"},
		{"nonsense\n1 2 3\n", StatusBroken, "no proc", "mount -t proc proc /proc"},
	}
	for i, test := range tests {
		t.Run(fmt.Sprint(i), func(t *testing.T) {
			n := goodNode(t)
			write(t, n, "proc/self/mountinfo", test.mounts)
			one(t, examine(t, n, procfs()), test.status, test.what, test.mend)
		})
	}
}

func TestLimits(t *testing.T) {
	n := goodNode(t)
	one(t, examine(t, n, limits()), StatusOK, "no low limit", "")
	write(t, n, "proc/self/limits", "Max processes             4096                 255                  processes \n"+
		"Max open files            64                   1024                 files     \n")
	one(t, examine(t, n, limits()), StatusWarning, "max processes is 255 at most", "prlimit --pid $$ --nproc=16384:16384")
	write(t, n, "proc/self/limits", "Max open files            64                   1023                 files     \n")
	one(t, examine(t, n, limits()), StatusWarning, "max open files is 1023 at most", "prlimit --pid $$ --nofile=65536:65536")
	write(t, n, "proc/self/limits", "Max open files\nMax processes what\n")
	one(t, examine(t, n, limits()), StatusOK, "no low limit", "")
}

func TestIDMappingPrograms(t *testing.T) {
	n := goodNode(t)
	f := examine(t, n, idMappingPrograms())
	if len(f) != 2 {
		t.Fatalf("found %+v, want that both are missing", f)
	}
	one(t, f[:1], StatusWarning, "newuidmap is not installed", "apt-get install uidmap")
	one(t, f[1:], StatusWarning, "newgidmap is not installed", "apt-get install uidmap")
	write(t, n, "etc/os-release", "ID=\"rocky\"\nID_LIKE=\"rhel centos fedora\"\n")
	one(t, examine(t, n, idMappingPrograms())[:1], StatusWarning, "newuidmap", "dnf install shadow-utils")

	write(t, n, "usr/bin/newuidmap", "")
	write(t, n, "usr/bin/newgidmap", "")
	must(t, os.Chmod(n.path("usr/bin/newuidmap"), 0o755))
	must(t, os.Chmod(n.path("usr/bin/newgidmap"), 0o755))
	f = examine(t, n, idMappingPrograms())
	if len(f) != 2 {
		t.Fatalf("found %+v, want that both are without rights", f)
	}
	one(t, f[:1], StatusWarning, "mode 0755, owner "+uidName(), "chmod 4755 "+n.path("usr/bin/newuidmap"))
	one(t, f[1:], StatusWarning, "neither setuid", "chmod 4755 "+n.path("usr/bin/newgidmap"))
}

func TestIDMappingProgramsOfRoot(t *testing.T) {
	needRoot(t, "makes setuid programs and file capabilities")
	n := goodNode(t)
	uid, gid := n.path("usr/bin/newuidmap"), n.path("usr/bin/newgidmap")
	write(t, n, "usr/bin/newuidmap", "")
	write(t, n, "usr/bin/newgidmap", "")
	must(t, unix.Chmod(uid, 0o4755))
	must(t, unix.Chmod(gid, 0o4755))
	one(t, examine(t, n, idMappingPrograms()), StatusOK, "may map ids", "")

	must(t, os.Chown(gid, 2000, 0))
	must(t, unix.Chmod(gid, 0o4755))
	one(t, examine(t, n, idMappingPrograms()), StatusWarning, "owner 2000) cannot map ids: one of them does not belong to root", "chown root "+gid)

	must(t, os.Chown(gid, 0, 0))
	must(t, unix.Chmod(gid, 0o755))
	grant := func(capability uint32) {
		// VFS_CAP_REVISION_2 with the effective flag, then permitted and inheritable sets.
		data := make([]byte, 20)
		data[0], data[3], data[4] = 1, 2, byte(1<<capability)
		must(t, unix.Setxattr(gid, "security.capability", data, 0))
	}
	grant(unix.CAP_SETUID)
	one(t, examine(t, n, idMappingPrograms()), StatusWarning, "neither setuid nor", "chmod 4755 "+gid)
	grant(unix.CAP_SETGID)
	one(t, examine(t, n, idMappingPrograms()), StatusOK, "may map ids", "")
}

func TestSubordinateIDs(t *testing.T) {
	const add, del = "usermod --add-", "usermod --del-"
	tests := []struct {
		name, subuid string
		uid          int
		status       Status
		what, mend   string
	}{
		{"own", "alice:100000:65536\n", 2000, StatusOK, "alice has ids", ""},
		{"by number", "2000:100000:65536\n", 2000, StatusOK, "alice has ids", ""},
		{"in two parts", "alice:100000:60000\n2000:200000:5536\n", 2000, StatusOK, "alice has ids", ""},
		{"none", "", 2000, StatusWarning, "/etc/subuid has no line for alice", add + "subuids 100000-165535 alice"},
		{"others only", "bob:100000:65536\ncarl:300000:65536\n", 2000, StatusWarning, "no line for alice", add + "subuids 365536-431071 alice"},
		{"malformed", "alice:100000\nalice:x:65536\nalice:100000:0\n:1:2\n# alice:100000:65536\nalice:4294967296:65536\n", 2000, StatusWarning, "no line for alice", add + "subuids 100000-165535 alice"},
		{"few", "alice:100000:65535\n", 2000, StatusWarning, "has 65535 ids for alice", add + "subuids 165535-231070 alice"},
		{"shared", "alice:100000:65536\nbob:165535:65536\n", 2000, StatusWarning, "gives 100000-165535 to alice and 165535-231070 to bob", del + "subuids 165535-231070 bob"},
		{"next to each other", "alice:100000:65536\nbob:165536:65536\n", 2000, StatusOK, "alice has ids", ""},
		{"root", "", 0, StatusOK, "root needs none", ""},
		{"root and others' fault", "bob:100000:65536\ncarl:100000:65536\n", 0, StatusWarning, "to bob and", del + "subuids 100000-165535 carl"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			n := goodNode(t)
			n.State.UID = test.uid
			write(t, n, "etc/subuid", test.subuid)
			one(t, examine(t, n, subordinateIDs()), test.status, test.what, test.mend)
		})
	}
	t.Run("no files", func(t *testing.T) {
		n := goodNode(t)
		n.State.UID = 2000
		remove(t, n, "etc/subuid")
		remove(t, n, "etc/subgid")
		f := examine(t, n, subordinateIDs())
		if len(f) != 2 {
			t.Fatalf("found %+v", f)
		}
		one(t, f[:1], StatusWarning, "/etc/subuid has no line", add+"subuids 100000-165535 alice")
		one(t, f[1:], StatusWarning, "/etc/subgid has no line", add+"subgids 100000-165535 alice")
	})
	t.Run("elsewhere", func(t *testing.T) {
		n := goodNode(t)
		n.State.UID = 2000
		write(t, n, "etc/nsswitch.conf", "passwd: files\nsubid:    files\n")
		one(t, examine(t, n, subordinateIDs()), StatusOK, "alice has ids", "")
		write(t, n, "etc/nsswitch.conf", "passwd: files sss\nsubid:    sss\n")
		one(t, examine(t, n, subordinateIDs()), StatusWarning, `from "sss"`, "sed -i '/^subid:/d' /etc/nsswitch.conf")
	})
}

func TestMounts(t *testing.T) {
	n := goodNode(t)
	write(t, n, "proc/self/mountinfo", "36 35 98:0 /a /mnt/a\\040b rw,noatime master:1 - ext3 /dev/root rw,errors=continue\n")
	m := n.mounts()
	if len(m) != 1 || m[0].id != 36 || m[0].point != "/mnt/a b" || m[0].kind != "ext3" {
		t.Fatalf("parsed %+v", m)
	}
	if value, ok := m[0].option("errors"); !ok || value != "continue" {
		t.Errorf("option errors is %q, %v", value, ok)
	}
	here := &Node{Root: "/"}
	if point := here.mountPoint("/proc/self/status"); point != "/proc" {
		t.Errorf("/proc/self/status is on the mount %q, want /proc", point)
	}
	if point := here.mountPoint("/nowhere"); point != "/nowhere" {
		t.Errorf("what is not there is on %q", point)
	}
}
