package oci

import (
	"fmt"
	"os"
	"path/filepath"
	"sort"
	"strings"
	"testing"
)

// Devices and limits: what the container's cgroup says of them. An ordinary user has no cgroup of its
// own to set them in.
func TestResources(t *testing.T) {
	compare(t, []scenario{
		{name: "memory", root: true, play: limited, edits: []edit{resource(object{"limit": 64 << 20, "reservation": 32 << 20}, "memory")}, shows: "67108864"},
		{name: "memory for a user", user: true, edits: []edit{resource(object{"limit": 64 << 20}, "memory")}, shows: "?"},
		{name: "cpu", root: true, play: limited, edits: []edit{resource(object{"shares": 512, "quota": 50000, "period": 100000, "cpus": "0", "mems": "0"}, "cpu")}, shows: "cpu.shares: 512"},
		{name: "pids", root: true, play: limited, edits: []edit{resource(object{"limit": 33}, "pids")}, shows: "33"},
		{name: "pids for a user", user: true, edits: []edit{resource(object{"limit": 33}, "pids")}, shows: "?"},
		{name: "no limits", root: true, play: limited, edits: []edit{resource(object{"limit": -1}, "pids"), resource(object{"limit": -1}, "memory")}, shows: "?"},
		{name: "block weight", root: true, play: limited, edits: []edit{resource(object{"weight": 200}, "blockIO")}, shows: "?"},
		{name: "unified", root: true, play: limited, edits: []edit{resource(object{"memory.max": "max"}, "unified")}, shows: "?"},
		{name: "no devices", root: true, play: limited, edits: []edit{deviceRules(false)}, shows: "?"},
		{name: "no devices but one", root: true, play: limited, edits: []edit{deviceRules(true)}, shows: "c 1:3"},
		{name: "memory too little", root: true, edits: []edit{resource(object{"limit": 1 << 12}, "memory")}, shows: "?"},
		{name: "resources empty", edits: []edit{set(object{}, "linux", "resources")}},
		{name: "device rules of runc spec", edits: []edit{deviceRules(false)}, shows: "?"},
		{name: "cgroup path", root: true, play: limited, edits: []edit{cgroupsPath("/berth-test/%s")}, shows: "/berth-test/$ID"},
		{name: "cgroup path relative", root: true, play: limited, edits: []edit{cgroupsPath("berth-test/%s")}, shows: "berth-test/$ID"},
		{name: "cgroup path for systemd", root: true, edits: []edit{cgroupsPath("system.slice:berth:%s")}, shows: "?"},
		{name: "cgroup path for a user", user: true, edits: []edit{cgroupsPath("/berth-test/%s")}, shows: "?"},
		{name: "device", root: true, edits: []edit{device("/dev/extra", "c", 1, 5, object{"fileMode": 0o640, "uid": 3, "gid": 4})}, shows: "/dev/extra 0020640 3:4 1,5"},
		{name: "device of blocks", root: true, edits: []edit{device("/dev/block", "b", 7, 0, nil)}, shows: "/dev/block"},
		{name: "pipe", root: true, edits: []edit{device("/dev/pipe", "p", 0, 0, nil)}, shows: "?"},
		{name: "device in a directory", root: true, edits: []edit{device("/dev/sub/extra", "u", 1, 3, nil)}, shows: "/dev/sub/extra"},
		{name: "device of an unknown kind", edits: []edit{device("/dev/extra", "x", 1, 3, nil)}, shows: "?"},
		{name: "device for a user", user: true, edits: []edit{device("/dev/fuse", "c", 10, 229, nil)}, shows: "?"},
		{name: "device for a user, not on the node", user: true, edits: []edit{device("/dev/extra", "c", 1, 5, nil)}, shows: "?"},
		{name: "device twice", root: true, edits: []edit{device("/dev/extra", "c", 1, 5, nil), device("/dev/extra", "c", 1, 3, nil)}, shows: "?"},
	})
}

func resource(value any, name string) edit { return set(value, "linux", "resources", name) }

func deviceRules(null bool) edit {
	rules := list{object{"allow": false, "access": "rwm"}}
	if null {
		rules = append(rules, object{"allow": true, "type": "c", "major": 1, "minor": 3, "access": "rw"})
	}
	return resource(rules, "devices")
}

func cgroupsPath(pattern string) edit {
	return func(b *box, config object) { set(fmt.Sprintf(pattern, b.id), "linux", "cgroupsPath")(b, config) }
}

func device(path, kind string, major, minor int, more object) edit {
	d := object{"path": path, "type": kind, "major": major, "minor": minor}
	for key, value := range more {
		d[key] = value
	}
	return add(d, "linux", "devices")
}

// limitFiles are the files of a version 1 cgroup in which runtimes write what a bundle says.
var limitFiles = [...]string{"memory/memory.limit_in_bytes", "memory/memory.soft_limit_in_bytes", "cpu/cpu.shares", "cpu/cpu.cfs_quota_us",
	"cpu/cpu.cfs_period_us", "cpuset/cpuset.cpus", "cpuset/cpuset.mems", "pids/pids.max", "blkio/blkio.bfq.weight", "devices/devices.list"}

// limited plays a bundle and notes what the cgroups of the created container hold.
func limited(b *box) {
	defer b.removeCgroups()
	r := b.created()
	if r == nil {
		b.ask("delete", "--force", b.id)
		return
	}
	b.noteLimits(r.pid())
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
}

// removeCgroups removes the cgroup in which a case had its own.
func (b *box) removeCgroups() {
	for _, pattern := range [...]string{"/sys/fs/cgroup/*/berth-test", "/sys/fs/cgroup/*/*/*/berth-test"} {
		made, _ := filepath.Glob(pattern)
		for _, path := range made {
			_ = os.Remove(path)
		}
	}
}

func (b *box) noteLimits(pid int) {
	groups := strings.Split(strings.TrimSpace(read(fmt.Sprintf("/proc/%d/cgroup", pid))), "\n")
	sort.Strings(groups)
	for _, line := range groups {
		fields := strings.SplitN(line, ":", 3)
		b.note("cgroup %s: %s", fields[1], fields[2])
		for _, file := range limitFiles {
			if controller, name := filepath.Split(file); controller == fields[1]+"/" {
				b.note("%s: %s", name, strings.TrimSpace(read(filepath.Join("/sys/fs/cgroup", controller, fields[2], name))))
			}
		}
	}
}
