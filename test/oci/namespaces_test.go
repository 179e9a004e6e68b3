package oci

import (
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
)

// Every kind of namespace: its own, the node's, that of another process.
func TestNamespaces(t *testing.T) {
	scenarios := []scenario{
		{name: "usual"},
		{name: "all", edits: []edit{namespace("network"), namespace("cgroup")}},
		{name: "network", edits: []edit{namespace("network")}},
		{name: "cgroup", edits: []edit{namespace("cgroup")}},
		{name: "time", runtime: "runc", edits: []edit{namespace("time"), set(object{"monotonic": object{"secs": 100}, "boottime": object{"secs": 200}}, "linux", "timeOffsets")}, shows: "?"},
		{name: "no pid", edits: []edit{without("pid"), bindProc}},
		{name: "no ipc", edits: []edit{without("ipc")}},
		{name: "no uts", edits: []edit{without("uts"), set("", "hostname")}},
		{name: "no uts but a hostname", edits: []edit{without("uts")}, shows: "?"},
		{name: "none but mount", edits: []edit{without("pid"), without("ipc"), without("uts"), bindProc, set("", "hostname")}},
		{name: "unknown kind", edits: []edit{namespace("planet")}, shows: "create: status 1"},
		{name: "twice the same", edits: []edit{namespace("uts")}, shows: "?"},
		{name: "path of no namespace", runtime: "runc", edits: []edit{without("uts"), add(object{"type": "uts", "path": "/etc/passwd"}, "linux", "namespaces")}, shows: "?"},
		{name: "path of another kind", runtime: "runc", edits: []edit{without("uts"), add(object{"type": "uts", "path": "/proc/self/ns/net"}, "linux", "namespaces")}, shows: "create: status 1"},
		{name: "path that is not there", edits: []edit{without("uts"), add(object{"type": "uts", "path": "/no/such"}, "linux", "namespaces")}, shows: "create: status 1"},
		{name: "user", root: true, edits: []edit{userNamespace(100000, 65536), tmpfsRoot}, shows: "?"},
		{name: "user, whole node", root: true, edits: []edit{userNamespace(0, 65536), tmpfsRoot}, shows: "user:its own"},
		{name: "user without mappings", root: true, edits: []edit{namespace("user")}, shows: "?"},
		{name: "no user", user: true, edits: []edit{without("user")}, shows: "?"},
		{name: "user and subordinate ids", user: true, edits: []edit{subordinate}},
		{name: "user 5 of subordinate ids", user: true, edits: []edit{subordinate, set(object{"uid": 5, "gid": 5}, "process", "user")}, shows: "?"},
	}
	for _, kind := range []string{"network", "uts", "ipc", "pid", "cgroup"} {
		scenarios = append(scenarios, scenario{name: "path " + kind, root: true, shows: "the given", edits: []edit{join(kind)}})
	}
	scenarios = append(scenarios, scenario{name: "path user and network", shows: "?", edits: []edit{join("user", "network"), noMappings}})
	compare(t, scenarios)
}

// bindProc takes the node's /proc, since the kernel refuses another without a pid namespace.
func bindProc(_ *box, config object) {
	config["mounts"].(list)[0] = object{"destination": "/proc", "type": "bind", "source": "/proc", "options": list{"rbind"}}
}

// userNamespace gives root's container a user namespace with size ids from first on.
func userNamespace(first, size int) edit {
	return func(b *box, config object) {
		mapping := list{object{"containerID": 0, "hostID": first, "size": size}}
		namespace("user")(b, config)
		set(mapping, "linux", "uidMappings")(b, config)
		set(mapping, "linux", "gidMappings")(b, config)
	}
}

func noMappings(_ *box, config object) {
	delete(config["linux"].(object), "uidMappings")
	delete(config["linux"].(object), "gidMappings")
}

// tmpfsRoot lets every user through to the root file system, which a user namespace needs.
func tmpfsRoot(b *box, _ object) {
	b.check(os.Chmod(b.dir, 0o755))
}

// subordinate maps the caller's subordinate ids to the container's from 1 on: subuid(5).
func subordinate(b *box, config object) {
	for key, file := range map[string]string{"uidMappings": "/etc/subuid", "gidMappings": "/etc/subgid"} {
		var first, size int
		for line := range strings.Lines(read(file)) {
			if rest, ok := strings.CutPrefix(line, os.Getenv("USER")+":"); ok {
				_, err := fmt.Sscanf(rest, "%d:%d", &first, &size)
				b.check(err)
			}
		}
		if size == 0 {
			lacking(b.t, "subordinate ids in "+file)
		}
		add(object{"containerID": 1, "hostID": first, "size": size - 1}, "linux", key)(b, config)
	}
}

// join puts the container into namespaces of those kinds that a process of the test has.
func join(kinds ...string) edit {
	return func(b *box, config object) {
		pid := b.holder(kinds)
		b.calledNamespaces(pid, "the given")
		for _, kind := range kinds {
			file := map[string]string{"network": "net", "pid": "pid_for_children"}[kind]
			if file == "" {
				file = kind
			}
			without(kind)(b, config)
			add(object{"type": kind, "path": fmt.Sprintf("/proc/%d/ns/%s", pid, file)}, "linux", "namespaces")(b, config)
		}
	}
}

// holder starts a process with namespaces of its own, which ends with the test.
func (b *box) holder(kinds []string) (pid int) {
	args := []string{}
	for _, kind := range kinds {
		if kind == "user" {
			kind = "map-root-user"
		}
		args = append(args, "--"+strings.Replace(kind, "network", "net", 1))
	}
	if len(kinds) == 1 && kinds[0] == "pid" {
		args = append(args, "--fork") // the first child is the namespace's init
	}
	cmd := exec.Command("unshare", append(args, "sh", "-c", "echo ready; exec sleep 100000")...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	b.check(err)
	b.check(cmd.Start())
	b.t.Cleanup(func() {
		_ = syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL)
		_ = cmd.Wait()
	})
	_, err = out.Read(make([]byte, 5))
	b.check(err)
	return cmd.Process.Pid
}
