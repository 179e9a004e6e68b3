package probe

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

// Report is what the probe finds itself to be.
type Report struct {
	Args     []string
	Env      []string
	Dir      string
	Hostname string
	Pid      int
	UID, GID int
	Umask    int
	Limits   map[int]Limit
	Files    map[int]File // the descriptors it was given
	Children bool         // it has children that it never started
	Status   map[string]string

	Namespaces  map[string]string // by the names in /proc/self/ns
	OOMScoreAdj string
	Sysinfo     syscall.Errno   // why sysinfo(2) fails
	Paths       map[string]Path // those that it was asked to try
}

// Limit is a resource limit, soft and hard.
type Limit struct{ Cur, Max uint64 }

// File is what an open descriptor refers to.
type File struct {
	Dev, Ino uint64
	Type     string // "file", "pipe", "tty", "socket", "device"
}

// report prints a Report as JSON, after trying what can be done with each of paths.
func report(paths []string) int {
	// Before anything else can open a descriptor.
	files := openFiles()
	_, err := unix.Wait4(-1, nil, unix.WNOHANG, nil)
	r := Report{
		Args: os.Args, Env: os.Environ(), Pid: os.Getpid(), UID: os.Getuid(), GID: os.Getgid(),
		Files: files, Limits: limits(), Children: !errors.Is(err, unix.ECHILD), Status: status(),
		Namespaces: namespaces(), OOMScoreAdj: line("/proc/self/oom_score_adj"), Sysinfo: sysinfo(), Paths: map[string]Path{},
	}
	for _, path := range paths {
		r.Paths[path] = try(path)
	}
	r.Umask = unix.Umask(0o022)
	r.Dir, _ = unix.Getwd()
	r.Hostname, _ = os.Hostname()
	out, err := json.Marshal(r)
	if err != nil {
		return fail(122, "writing a report: %v", err)
	}
	fmt.Println(string(out))
	return 0
}

// openFiles looks at each descriptor that was not opened by this program itself: Go's own ones,
// and only those, are closed on exec.
func openFiles() map[int]File {
	files := map[int]File{}
	for fd := range 256 {
		flags, err := unix.FcntlInt(uintptr(fd), unix.F_GETFD, 0)
		var st unix.Stat_t
		if err != nil || flags&unix.FD_CLOEXEC != 0 || unix.Fstat(fd, &st) != nil {
			continue
		}
		files[fd] = File{Dev: st.Dev, Ino: st.Ino, Type: fileType(fd, st.Mode)}
	}
	return files
}

func fileType(fd int, mode uint32) string {
	switch mode & unix.S_IFMT {
	case unix.S_IFREG:
		return "file"
	case unix.S_IFIFO:
		return "pipe"
	case unix.S_IFSOCK:
		return "socket"
	}
	if _, err := unix.IoctlGetTermios(fd, unix.TCGETS); err == nil {
		return "tty"
	}
	return "device"
}

// limits reads every resource limit as this program was given it. Package os has raised the soft
// limit of open files by now; syscall.Exec puts the old one back, also where it then fails.
func limits() map[int]Limit {
	_ = syscall.Exec("", nil, nil)
	out := map[int]Limit{}
	for resource := range unix.RLIMIT_RTTIME + 1 {
		var l unix.Rlimit
		if unix.Getrlimit(resource, &l) == nil {
			out[resource] = Limit{Cur: l.Cur, Max: l.Max}
		}
	}
	return out
}

// status is /proc/self/status, where a container has a /proc: proc_pid_status(5).
func status() map[string]string {
	out := map[string]string{}
	text, err := os.ReadFile("/proc/self/status")
	if err != nil {
		return out
	}
	for line := range strings.Lines(string(text)) {
		name, value, _ := strings.Cut(line, ":")
		out[name] = strings.TrimSpace(value)
	}
	return out
}
