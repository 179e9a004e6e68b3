package oci

import (
	"os"
	"testing"
)

// The root file system, its propagation, and what of the node is hidden.
func TestRoot(t *testing.T) {
	compare(t, []scenario{
		{name: "writable", edits: []edit{ownRootfs, script("touch /written && ls /")}, shows: "written"},
		{name: "read-only", edits: []edit{ownRootfs, set(true, "root", "readonly"), script("touch /written")}, shows: "Read-only"},
		{name: "relative", edits: []edit{inBundle, script("ls /")}},
		{name: "symbolic link", edits: []edit{linkedRoot}, shows: "?"},
		{name: "missing", edits: []edit{set("/no/such/root", "root", "path")}, shows: "create: status 1"},
		{name: "a file", edits: []edit{set("/etc/passwd", "root", "path")}, shows: "create: status 1"},
		{name: "no path", edits: []edit{set(object{}, "root")}, shows: "?"},
		{name: "no root", edits: []edit{dropped("root")}, shows: "?"},
		{name: "slave", edits: []edit{set("slave", "linux", "rootfsPropagation")}},
		{name: "rslave", edits: []edit{set("rslave", "linux", "rootfsPropagation")}},
		{name: "private", edits: []edit{set("private", "linux", "rootfsPropagation")}},
		{name: "rprivate", edits: []edit{set("rprivate", "linux", "rootfsPropagation")}},
		{name: "shared", edits: []edit{set("shared", "linux", "rootfsPropagation")}, shows: "?"},
		{name: "rshared", edits: []edit{set("rshared", "linux", "rootfsPropagation")}, shows: "?"},
		{name: "unbindable", edits: []edit{set("unbindable", "linux", "rootfsPropagation")}, shows: "?"},
		{name: "unknown propagation", edits: []edit{set("surprise", "linux", "rootfsPropagation")}, shows: "?"},
		{name: "masked paths", edits: []edit{stockMasked, script("cat /etc/secret; ls /proc/acpi /work; cat /proc/self/mountinfo")}},
		{name: "masked paths, facts", edits: []edit{ownRootfs, stockMasked}},
		{name: "read-only paths", edits: []edit{ownRootfs, set(list{"/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger", "/mnt/no/such"}, "linux", "readonlyPaths")}},
		{name: "hostname", edits: []edit{set("other-name.example", "hostname")}, shows: "other-name"},
		{name: "no hostname", edits: []edit{dropped("hostname")}},
		{name: "domainname", edits: []edit{set("1.1.0", "ociVersion"), set("example.org", "domainname")}, shows: "?"},
	})
}

// inBundle has the root file system within the bundle, named by a relative path.
func inBundle(b *box, config object) {
	b.check(makeRootfsFor(b.path("bundle/fs")))
	config["root"] = object{"path": "fs"}
}

func linkedRoot(b *box, config object) {
	b.check(os.Symlink(programs+"/rootfs", b.path("link")))
	config["root"] = object{"path": b.path("link"), "readonly": true}
}

// dropped removes a member of the document.
func dropped(name string) edit {
	return func(_ *box, config object) { delete(config, name) }
}

func stockMasked(b *box, config object) {
	set(list{"/etc/secret", "/work", "/proc/acpi", "/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware", "/mnt/no/such"}, "linux", "maskedPaths")(b, config)
}
