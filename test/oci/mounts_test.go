package oci

import (
	"os"
	"testing"

	"golang.org/x/sys/unix"
)

// Mounts of every file system and option that the specification names, and what is wrong with them.
func TestMounts(t *testing.T) {
	compare(t, append([]scenario{
		{name: "stock", edits: []edit{stockMounts}},
		{name: "tmpfs", edits: []edit{mount("tmpfs", "tmpfs", "/tmp", "nosuid", "nodev", "noexec", "mode=1777", "size=1m")}},
		{name: "tmpfs, more options", edits: []edit{mount("tmpfs", "x", "/tmp", "ro", "noatime", "nodiratime", "strictatime", "mode=0700")}},
		{name: "tmpfs, copied up", edits: []edit{mount("tmpfs", "tmpfs", "/etc", "tmpcopyup"), script("cat /etc/passwd")}, shows: "?"},
		{name: "tmpfs, unknown option", edits: []edit{mount("tmpfs", "tmpfs", "/tmp", "surprise")}, shows: "create: status 1"},
		{name: "unknown file system", edits: []edit{mount("surprise", "x", "/tmp")}, shows: "create: status 1"},
		{name: "devpts", edits: []edit{mount("devpts", "devpts", "/dev/pts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620")}},
		{name: "mqueue", edits: []edit{mount("mqueue", "mqueue", "/dev/mqueue", "nosuid", "noexec", "nodev")}},
		{name: "shm", edits: []edit{mount("tmpfs", "shm", "/dev/shm", "nosuid", "noexec", "nodev", "mode=1777", "size=65536k")}},
		{name: "sysfs", edits: []edit{namespace("network"), mount("sysfs", "sysfs", "/sys", "nosuid", "noexec", "nodev", "ro")}},
		{name: "sysfs without network namespace", edits: []edit{mount("sysfs", "sysfs", "/sys", "nosuid", "noexec", "nodev", "ro")}, shows: "?"},
		{name: "cgroup", edits: []edit{mount("cgroup", "cgroup", "/sys/fs/cgroup", "nosuid", "noexec", "nodev", "relatime", "ro"), sysTmpfs}, shows: "?"},
		{name: "cgroup with namespace", edits: []edit{namespace("cgroup"), mount("cgroup", "cgroup", "/sys/fs/cgroup", "ro"), sysTmpfs}, shows: "?"},
		{name: "no mounts", edits: []edit{ownRootfs, set(list{}, "mounts"), script("ls /proc /dev; echo done")}, shows: "?"},
		{name: "proc twice", edits: []edit{mount("proc", "proc", "/proc", "ro")}},
	}, binds()...))
}

func binds() []scenario {
	return []scenario{
		{name: "bind", edits: []edit{bind("bind"), script("cat /shared/file; echo more >>/shared/file; cat /shared/file")}, shows: "more"},
		{name: "bind, facts", edits: []edit{bind("bind", "rw")}},
		{name: "bind ro", edits: []edit{bind("rbind", "ro"), script("cat /shared/file /proc/self/mountinfo; touch /shared/x")}, shows: "Read-only"},
		{name: "bind, flags", edits: []edit{bind("bind", "nosuid", "nodev", "noexec", "noatime")}, shows: "?"},
		{name: "bind, no type", edits: []edit{bindAs("", "bind")}},
		{name: "bind, type none", edits: []edit{bindAs("none", "bind", "ro")}},
		{name: "bind, no option", edits: []edit{bindAs("bind")}, shows: "?"},
		{name: "bind rro", edits: []edit{bind("rbind", "rro")}, shows: "?"},
		{name: "bind private", edits: []edit{bind("bind", "private")}},
		{name: "bind rprivate", edits: []edit{bind("rbind", "rprivate")}},
		{name: "bind shared", edits: []edit{bind("bind", "shared")}},
		{name: "bind rslave", edits: []edit{bind("rbind", "rslave")}},
		{name: "bind unbindable", edits: []edit{bind("bind", "unbindable")}},
		{name: "bind of a file", edits: []edit{bindFile("/etc/passwd"), script("cat /etc/passwd")}, shows: "hello"},
		{name: "bind of a device", edits: []edit{mount("bind", "/dev/null", "/dev/null", "bind"), script("echo x >/dev/null; stat -c %t,%T /dev/null")}, shows: "1,3"},
		{name: "bind, relative source", edits: []edit{relativeBind}, shows: "?"},
		{name: "bind, missing source", edits: []edit{mount("bind", "/no/such/source", "/mnt", "bind")}, shows: "create: status 1"},
		{name: "bind, missing target in a read-only root", edits: []edit{ownRootfs, set(true, "root", "readonly"), bindTo("/missing/target")}, shows: "?"},
		{name: "bind, missing target", edits: []edit{ownRootfs, bindTo("/missing/target"), script("ls /missing/target")}, shows: "file"},
		{name: "bind, missing target of a file", edits: []edit{ownRootfs, bindFile("/missing/file"), script("cat /missing/file")}, shows: "hello"},
		{name: "bind, target through a link", edits: []edit{ownRootfs, linkOut, bindTo("/link/target"), script("ls /link /link/target")}, shows: "?"},
		{name: "bind over the root", edits: []edit{bindTo("/")}, shows: "?"},
		{name: "bind, relative target", edits: []edit{bindTo("mnt")}, shows: "?"},
		{name: "bind in /proc", edits: []edit{bindTo("/proc/sys")}, shows: "?"},
		{name: "bind of a tree", root: true, edits: []edit{tree("rbind"), script("cat /shared/inner/file")}, shows: "below"},
		{name: "bind of a tree, its top alone", root: true, edits: []edit{tree("bind"), script("ls /shared/inner")}},
		{name: "bind of a tree ro", root: true, edits: []edit{tree("rbind", "ro"), script("cat /proc/self/mountinfo; touch /shared/inner/x")}, shows: "?"},
		{name: "bind idmap", root: true, edits: []edit{userNamespace(100000, 65536), tmpfsRoot, bind("rbind", "idmap")}, shows: "?"},
		{name: "bind with mappings", root: true, edits: []edit{tmpfsRoot, mappedBind, script("stat -c %u:%g /shared/file")}, shows: "?"},
	}
}

// stockMounts are those that "runc spec" writes.
func stockMounts(b *box, config object) {
	namespace("network")(b, config)
	set(list{
		object{"destination": "/proc", "type": "proc", "source": "proc"},
		object{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": list{"nosuid", "strictatime", "mode=755", "size=65536k"}},
		object{"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": list{"nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620"}},
		object{"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": list{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
		object{"destination": "/dev/mqueue", "type": "mqueue", "source": "mqueue", "options": list{"nosuid", "noexec", "nodev"}},
		object{"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": list{"nosuid", "noexec", "nodev", "ro"}},
	}, "mounts")(b, config)
}

// sysTmpfs gives mounts below /sys a place, before them.
func sysTmpfs(_ *box, config object) {
	mounts := config["mounts"].(list)
	config["mounts"] = append(list{object{"destination": "/sys", "type": "tmpfs", "source": "tmpfs", "options": list{"mode=755"}}}, mounts...)
}

// bind binds a directory of the box at /shared.
func bind(options ...any) edit { return bindAs("bind", options...) }

func bindAs(kind string, options ...any) edit {
	return func(b *box, config object) {
		add(object{"type": kind, "source": b.shared(), "destination": "/shared", "options": options}, "mounts")(b, config)
	}
}

func bindTo(target string) edit {
	return func(b *box, config object) { mount("bind", b.shared(), target, "bind")(b, config) }
}

func bindFile(target string) edit {
	return func(b *box, config object) { mount("bind", b.shared()+"/file", target, "bind", "ro")(b, config) }
}

// shared makes a directory with a file.
func (b *box) shared() string {
	b.check(os.MkdirAll(b.path("shared"), 0o777))
	b.check(os.Chmod(b.path("shared"), 0o777))
	b.check(os.WriteFile(b.path("shared/file"), []byte("hello\n"), 0o644))
	return b.path("shared")
}

func relativeBind(b *box, config object) {
	b.check(os.MkdirAll(b.path("bundle/data"), 0o755))
	mount("bind", "data", "/shared", "bind")(b, config)
}

// linkOut puts a symbolic link to a directory outside into the root file system.
func linkOut(b *box, _ object) {
	b.check(os.MkdirAll(b.path("outside"), 0o755))
	b.check(os.Symlink(b.path("outside"), b.path("rootfs/link")))
}

// tree binds a directory that has another mount in it.
func tree(options ...any) edit {
	return func(b *box, config object) {
		inner := b.shared() + "/inner"
		b.check(os.MkdirAll(inner, 0o755))
		b.check(unix.Mount("tmpfs", inner, "tmpfs", 0, "size=64k"))
		b.t.Cleanup(func() { _ = unix.Unmount(inner, unix.MNT_DETACH) })
		b.check(os.WriteFile(inner+"/file", []byte("below\n"), 0o644))
		bind(options...)(b, config)
	}
}

func mappedBind(b *box, config object) {
	mapping := list{object{"containerID": 0, "hostID": 1000, "size": 1000}}
	add(object{"type": "bind", "source": b.shared(), "destination": "/shared", "options": list{"bind"},
		"uidMappings": mapping, "gidMappings": mapping}, "mounts")(b, config)
}
