package slurm

import (
	"crypto/rand"
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// object is a JSON object, list a JSON array.
type (
	object = map[string]any
	list   = []any
)

// edit changes a config.json.
type edit func(config object)

// set sets a member of the object at a path of names.
func set(value any, path ...string) edit {
	return func(config object) {
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

// bundle makes a bundle with busybox on every node and returns its path there. It is as "runc spec"
// makes them, or for the guide's templates as "runc spec --rootless" does.
func (s *site) bundle(t testing.TB, edits ...edit) string {
	t.Helper()
	namespaces := list{
		object{"type": "pid"}, object{"type": "ipc"}, object{"type": "uts"}, object{"type": "mount"},
	}
	linux := object{"namespaces": namespaces}
	if s.guide {
		linux["namespaces"] = append(namespaces, object{"type": "user"})
		linux["uidMappings"] = list{object{"containerID": 0, "hostID": s.UID(), "size": 1}}
		linux["gidMappings"] = list{object{"containerID": 0, "hostID": s.GID(), "size": 1}}
	}
	config := object{
		"ociVersion": "1.0.2",
		"process": object{
			"args": list{"sh"}, "env": list{"PATH=/bin"}, "cwd": "/", "user": object{"uid": 0, "gid": 0},
		},
		"root":     object{"path": "rootfs", "readonly": true},
		"hostname": "container",
		"mounts": list{
			object{"destination": "/proc", "type": "proc", "source": "proc"},
			object{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": list{"nosuid", "mode=755"}},
			object{"destination": "/dev/pts", "type": "devpts", "source": "devpts", "options": list{"newinstance", "ptmxmode=0666", "mode=0620"}},
			object{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": list{"nosuid", "mode=1777"}},
		},
		"linux": linux,
	}
	for _, e := range edits {
		e(config)
	}
	text, err := json.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	return s.rawBundle(t, string(text))
}

// rawBundle makes a bundle with that config.json. Its root filesystem belongs to the job's user, as
// one does that he unpacked.
func (s *site) rawBundle(t testing.TB, config string) string {
	t.Helper()
	dir := filepath.Join("/srv/bundles", strings.ToLower(rand.Text()[:8]))
	for _, n := range s.Nodes() {
		if err := n.WriteFile(filepath.Join(dir, "config.json"), config, 0o644); err != nil {
			t.Fatal(err)
		}
		if err := s.unpack(n.Path(filepath.Join(dir, "rootfs"))); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// applets are the programs that containers find in /bin.
var applets = [...]string{
	"cat", "dd", "echo", "env", "false", "hostname", "id", "kill", "ls", "mkdir", "mount", "printf", "ps", "pwd",
	"readlink", "sh", "sha256sum", "sleep", "stat", "stty", "tail", "test", "touch", "true", "tty", "uptime", "wc",
}

var busybox = sync.OnceValues(func() ([]byte, error) { return os.ReadFile("/bin/busybox") })

// unpack makes a root filesystem with busybox.
func (s *site) unpack(dir string) error {
	busybox, err := busybox()
	if err != nil {
		return err
	}
	for _, name := range []string{"bin", "dev", "etc", "proc", "sys", "tmp", "work"} {
		if err := os.MkdirAll(filepath.Join(dir, name), 0o755); err != nil {
			return err
		}
	}
	if err := os.WriteFile(filepath.Join(dir, "bin/busybox"), busybox, 0o755); err != nil {
		return err
	}
	for _, name := range applets {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", name)); err != nil {
			return err
		}
	}
	return filepath.WalkDir(dir, func(path string, _ fs.DirEntry, err error) error {
		return errors.Join(err, os.Lchown(path, s.UID(), s.GID()))
	})
}
