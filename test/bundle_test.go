package test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"sync"
	"testing"
)

// object is a JSON object.
type object = map[string]any

// list is a JSON array.
type list = []any

// edit changes a config.json.
type edit func(config object)

// bundle makes an OCI bundle whose command is the shell script, run by busybox.
func (s *site) bundle(t testing.TB, script string, edits ...edit) string {
	t.Helper()
	config := object{
		"ociVersion": "1.0.2",
		"process": object{
			"args": list{"sh", "-c", script},
			"env":  list{"PATH=/bin", "TOKEN=" + s.token},
			"cwd":  "/",
		},
		"root":     object{"path": rootfs(t), "readonly": true},
		"hostname": "berth-test",
		"mounts": list{
			object{"destination": "/proc", "type": "proc", "source": "proc"},
			object{"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": list{"nosuid", "mode=755"}},
			object{"destination": "/tmp", "type": "tmpfs", "source": "tmpfs", "options": list{"nosuid", "mode=1777"}},
		},
		"linux": object{"namespaces": list{
			object{"type": "pid"}, object{"type": "ipc"}, object{"type": "uts"}, object{"type": "mount"},
		}},
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

// rawBundle makes a bundle with that config.json.
func (s *site) rawBundle(t testing.TB, config string) string {
	t.Helper()
	dir := s.mkdir(t, s.id()+".bundle")
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o644); err != nil {
		t.Fatal(err)
	}
	return dir
}

// set sets a member of an object below the document.
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

// add appends to an array of the document.
func add(value any, path ...string) edit {
	return func(config object) {
		var have any = config
		for _, name := range path {
			have = have.(object)[name]
		}
		array, _ := have.(list)
		set(append(array, value), path...)(config)
	}
}

// applets are the programs that containers of these tests find in /bin.
var applets = [...]string{
	"cat", "chmod", "cp", "dd", "echo", "env", "false", "grep", "head", "hostname", "id", "kill", "ls", "mkdir",
	"mount", "printf", "ps", "pwd", "readlink", "sh", "sha256sum", "sleep", "stat", "stty", "tail", "test", "touch",
	"tr", "true", "tty", "umask", "wc",
}

var makeRootfs = sync.OnceValues(func() (string, error) {
	dir := filepath.Join(programs, "rootfs")
	for _, sub := range []string{"bin", "dev", "proc", "tmp", "sys", "etc", "work", "bin/directory"} {
		if err := os.MkdirAll(filepath.Join(dir, sub), 0o755); err != nil {
			return "", err
		}
	}
	if err := copyFile(filepath.Join(dir, "bin/busybox"), "/bin/busybox", 0o755); err != nil {
		return "", err
	}
	for _, name := range applets {
		if err := os.Symlink("busybox", filepath.Join(dir, "bin", name)); err != nil {
			return "", err
		}
	}
	for name, file := range map[string]struct {
		text string
		mode os.FileMode
	}{
		"bin/not-executable": {"#!/bin/sh\n", 0o644},
		"bin/not-a-program":  {"\x7fELF but no more\n", 0o755},
		"bin/no-interpreter": {"#!/no/such/interpreter\n", 0o755},
		"etc/passwd":         {"root:x:0:0:root:/:/bin/sh\n", 0o644},
	} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(file.text), file.mode); err != nil {
			return "", err
		}
	}
	return dir, nil
})

// rootfs is a root file system with busybox, the same for all tests, which do not write in it.
func rootfs(t testing.TB) string {
	t.Helper()
	dir, err := makeRootfs()
	if err != nil {
		t.Fatal(err)
	}
	return dir
}
