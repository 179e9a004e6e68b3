package probe

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Path is what the probe can do with a file or directory.
type Path struct {
	Content string        // of a file, or the names in a directory, a line each
	Read    syscall.Errno // why it cannot be read; 0: it can
	Write   syscall.Errno // why nothing can be written to or made in it; 0: it can
	Flags   int64         // ST_RDONLY and so on of its mount: statvfs(3)
}

// try reads the file or directory at path and writes to it.
func try(path string) (p Path) {
	info, err := os.Stat(path)
	if err != nil {
		p.Read, p.Write = errnoOf(err), errnoOf(err)
		return p
	}
	var st unix.Statfs_t
	if unix.Statfs(path, &st) == nil {
		p.Flags = int64(st.Flags)
	}
	if info.IsDir() {
		entries, err := os.ReadDir(path)
		for _, e := range entries {
			p.Content += e.Name() + "\n"
		}
		p.Read = errnoOf(err)
		p.Write = errnoOf(makeIn(path))
		return p
	}
	text, err := os.ReadFile(path)
	p.Content, p.Read = string(text), errnoOf(err)
	f, err := os.OpenFile(path, os.O_WRONLY, 0)
	p.Write = errnoOf(err)
	f.Close()
	return p
}

// makeIn makes a file in dir, and removes it: a driver that does not know its trade runs the probe on
// the node.
func makeIn(dir string) error {
	name := filepath.Join(dir, "made-by-the-probe")
	f, err := os.OpenFile(name, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	f.Close()
	return os.Remove(name)
}

// errnoOf is the kernel's number of an error.
func errnoOf(err error) (n syscall.Errno) {
	errors.As(err, &n)
	return n
}

// namespaces are the ones that the probe is in, by the names in /proc/self/ns.
func namespaces() map[string]string {
	out := map[string]string{}
	entries, _ := os.ReadDir("/proc/self/ns") // a container may have no /proc
	for _, e := range entries {
		out[e.Name()], _ = os.Readlink("/proc/self/ns/" + e.Name())
	}
	return out
}

// line is what a file of /proc says, without the newline.
func line(file string) string {
	text, _ := os.ReadFile(file)
	return strings.TrimSpace(string(text))
}

// sysinfo is why the probe cannot call sysinfo(2), which nothing but a seccomp filter denies.
func sysinfo() syscall.Errno {
	var info unix.Sysinfo_t
	return errnoOf(unix.Sysinfo(&info))
}
