package bundle

import (
	"os"
	"path"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/host/bundle/tree"
)

// fileSystems adds those that the specification wants in every container (config-linux.md,
// "Default Filesystems") and runtimes cannot do without: runc reads /proc, and without a mount on
// /dev it makes device nodes in the bundle's root file system on disk.
func (a *adaptation) fileSystems() error {
	a.fileSystem("/proc", "proc", "proc", "nosuid", "noexec", "nodev")
	a.fileSystem("/dev", "tmpfs", "tmpfs", "nosuid", "strictatime", "mode=755", "size=65536k")
	if a.root.Get("process", "terminal").True() {
		a.fileSystem("/dev/pts", "devpts", "devpts", "nosuid", "noexec", "newinstance", "ptmxmode=0666", "mode=0620")
	}
	return nil
}

// fileSystem adds one if nothing is mounted there.
func (a *adaptation) fileSystem(at, kind, source string, options ...string) {
	for _, m := range a.mounts().Items() {
		d := destination(m)
		if d == at || d != "/" && within(d, at) && isBind(m) {
			return // there, or part of what is bound above it
		}
	}
	a.addFileSystem(whyFileSystem, newMount(at, kind, source, options))
}

// addFileSystem adds a mount before the first one that is below it.
func (a *adaptation) addFileSystem(why string, m *tree.Value) {
	place := len(a.mounts().Items())
	for i, other := range a.mounts().Items() {
		if within(destination(m), destination(other)) {
			place = min(place, i)
		}
	}
	a.mounts().Insert(place, m)
	a.change(mountPath(m), why)
}

// nodeMounts replaces mounts that a user namespace may only make in a namespace of its own by the
// node's (user_namespaces(7), "Capabilities").
func (a *adaptation) nodeMounts() error {
	if !a.inUserns() {
		return nil
	}
	for i := 0; i < len(a.mounts().Items()); i++ {
		m := a.mounts().Items()[i]
		node, shared := "", ""
		switch m.Get("type").Text() {
		case "proc":
			node, shared = "/proc", "pid"
		case "sysfs":
			node, shared = "/sys", "network"
		case "mqueue":
			node, shared = "/dev/mqueue", "ipc"
		}
		if node == "" || isBind(m) || a.namespace(shared) != nil {
			continue
		}
		if _, err := os.Stat(node); err != nil {
			a.mounts().RemoveItem(i)
			a.change(mountPath(m), whyNoNodeMount)
			i--
			continue
		}
		m.Set("type", tree.NewString("bind"))
		m.Set("source", tree.NewString(node))
		m.Set("options", tree.NewStrings(bindOptions(m.Get("options").Texts())))
		a.change(mountPath(m), whyNodeMount)
	}
	return nil
}

// bindOptions turns the options of a file system into those of a bind mount of it: what is not a
// flag of the mount itself is the file system's own.
func bindOptions(options []string) []string {
	bound := []string{"rbind"}
	for _, option := range options {
		if slices.Contains([]string{"ro", "nosuid", "nodev", "noexec"}, option) {
			bound = append(bound, option)
		}
	}
	return bound
}

func newMount(at, kind, source string, options []string) *tree.Value {
	m := tree.NewObject()
	m.Set("destination", tree.NewString(at))
	m.Set("type", tree.NewString(kind))
	m.Set("source", tree.NewString(source))
	m.Set("options", tree.NewStrings(options))
	return m
}

// destination returns where m is mounted; config.md 1.2 lets relative paths mean "below /".
func destination(m *tree.Value) string { return path.Clean("/" + m.Get("destination").Text()) }

func isBind(m *tree.Value) bool {
	return m.Get("type").Text() == "bind" || slices.ContainsFunc(m.Get("options").Texts(), func(option string) bool {
		return strings.TrimPrefix(option, "r") == "bind"
	})
}
