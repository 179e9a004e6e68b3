package oci

import (
	"encoding/json"
	"os"
	"path/filepath"
)

// object is a JSON object.
type object = map[string]any

// list is a JSON array.
type list = []any

// edit changes a config.json, in a bundle of that box.
type edit func(b *box, config object)

// config is the document that every case starts from: the probe in namespaces of its own, read-only
// root. An ordinary user's has a user namespace in which the user is root.
func (b *box) config(edits ...edit) object {
	namespaces := list{object{"type": "pid"}, object{"type": "ipc"}, object{"type": "uts"}, object{"type": "mount"}}
	linux := object{}
	if !isRoot() {
		namespaces = append(namespaces, object{"type": "user"})
		linux["uidMappings"] = list{object{"containerID": 0, "hostID": os.Getuid(), "size": 1}}
		linux["gidMappings"] = list{object{"containerID": 0, "hostID": os.Getgid(), "size": 1}}
	}
	linux["namespaces"] = namespaces
	config := object{
		"ociVersion": "1.0.2",
		"process": object{
			"args": list{"/bin/probe", "facts"},
			"env":  list{"PATH=/bin", "NAME=value"},
			"cwd":  "/",
			"user": object{"uid": 0, "gid": 0},
		},
		"root":     object{"path": filepath.Join(programs, "rootfs"), "readonly": true},
		"hostname": "differential",
		"mounts": list{
			object{"destination": "/proc", "type": "proc", "source": "proc"},
			object{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": list{"nosuid", "mode=755", "size=65536k"}},
		},
		"linux": linux,
	}
	for _, e := range edits {
		e(b, config)
	}
	return config
}

// bundle writes a bundle and returns its directory.
func (b *box) bundle(edits ...edit) string {
	text, err := json.Marshal(b.config(edits...))
	b.check(err)
	return b.rawBundle(string(text))
}

// rawBundle writes a bundle with that config.json.
func (b *box) rawBundle(config string) string {
	dir := b.path("bundle")
	b.check(os.MkdirAll(dir, 0o755))
	b.check(os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o644))
	return dir
}

// set sets a member of an object below the document.
func set(value any, path ...string) edit {
	return func(_ *box, config object) {
		at := config
		for _, name := range path[:len(path)-1] {
			next, ok := at[name].(object)
			if !ok {
				next = object{}
				at[name] = next
			}
			at = next
		}
		at[path[len(path)-1]] = value
	}
}

// add appends to an array of the document.
func add(value any, path ...string) edit {
	return func(b *box, config object) {
		var have any = config
		for _, name := range path {
			next, _ := have.(object)
			have = next[name]
		}
		array, _ := have.(list)
		set(append(array, value), path...)(b, config)
	}
}

// args sets the program.
func args(args ...any) edit { return set(list(args), "process", "args") }

// script makes the program a shell script.
func script(text string) edit { return args("sh", "-c", text) }

// namespace adds a namespace of its own.
func namespace(kind string) edit { return add(object{"type": kind}, "linux", "namespaces") }

// without removes the namespace of that kind.
func without(kind string) edit {
	return func(_ *box, config object) {
		linux := config["linux"].(object)
		var kept list
		for _, n := range linux["namespaces"].(list) {
			if n.(object)["type"] != kind {
				kept = append(kept, n)
			}
		}
		linux["namespaces"] = kept
	}
}

// mount adds a mount.
func mount(kind, source, destination string, options ...any) edit {
	return add(object{"type": kind, "source": source, "destination": destination, "options": list(options)}, "mounts")
}

// ownRootfs gives the bundle a root file system of its own, which it can write.
func ownRootfs(b *box, config object) {
	b.check(makeRootfsFor(b.path("rootfs")))
	config["root"] = object{"path": b.path("rootfs")}
}

// makeRootfsFor makes a root file system whose programs are those of the common one.
func makeRootfsFor(dir string) error {
	for _, sub := range []string{"bin", "dev", "etc", "proc", "sys", "tmp"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return err
		}
	}
	entries, err := os.ReadDir(filepath.Join(programs, "rootfs", "bin"))
	for _, e := range entries {
		if !e.IsDir() && err == nil {
			err = os.Link(filepath.Join(programs, "rootfs", "bin", e.Name()), filepath.Join(dir, "bin", e.Name()))
		}
	}
	return err
}

func isRoot() bool { return os.Geteuid() == 0 }
