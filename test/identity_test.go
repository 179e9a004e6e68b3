package test

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/internal/await"
)

// The process that was started as berth is the runtime: same pid, descriptors, working directory,
// umask, limits, groups, cgroup and signal mask as a program that the caller starts itself.
func TestExecInPlace(t *testing.T) {
	t.Parallel()
	need(t, "busybox", "prlimit", "setpriv")
	s := newSite(t)
	s.misbehaving(t, "plain")
	s.driver = "plain"
	s.configure(t, "[drivers.plain]\ncommand = [\"/bin/sleep\", \"100000\"]\n")
	dir := s.mkdir(t, "somewhere")
	files := make([]*os.File, 3+60)
	for i := range files {
		f, err := os.OpenFile(filepath.Join(dir, strconv.Itoa(i)), os.O_RDWR|os.O_CREATE, 0o600)
		check(t, err)
		defer f.Close()
		files[i] = f
	}
	start := func(argv ...string) int {
		prefix := []string{"prlimit", "--nofile=1000:2000", "--core=0:0", "--stack=1048576:8388608", "sh", "-c", `umask 0027; trap '' HUP; exec "$@"`, "sh"}
		argv = append(prefix, argv...)
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "BERTH_TEST="+s.token, "LISTEN_FDS=60")
		cmd.Stdin, cmd.Stdout, cmd.Stderr, cmd.ExtraFiles = files[0], files[1], files[2], files[3:]
		check(t, cmd.Start())
		t.Cleanup(func() { _ = cmd.Process.Kill(); _ = cmd.Wait() })
		eventually(t, "the program runs", func() bool {
			return strings.HasPrefix(read(fmt.Sprintf("/proc/%d/cmdline", cmd.Process.Pid)), "/bin/sleep\x00")
		})
		return cmd.Process.Pid
	}
	id := s.id()
	direct := look(t, start("/bin/sleep", "100000"))
	for fd := range direct.Files {
		if fd >= 3+2 { // not declared
			delete(direct.Files, fd)
		}
	}
	berth := start(s.path("berth"), "run", "--driver=plain", "--preserve-fds=2", "--id", id, s.bundle(t, ""))
	var diff string
	await.True(t, func() string { return "no difference between -started directly +through berth:\n" + diff }, func() bool {
		diff = cmp.Diff(direct, look(t, berth)) // the program itself opens a file now and then
		return diff == ""
	})
	var record struct{ Pid int }
	check(t, json.NewDecoder(strings.NewReader(read(filepath.Join(home(), id, "record")))).Decode(&record))
	if record.Pid != berth {
		t.Errorf("the record says pid %d, berth was %d", record.Pid, berth)
	}
	if children := read(fmt.Sprintf("/proc/%[1]d/task/%[1]d/children", berth)); children != "" {
		t.Errorf("children: %s", children)
	}
	s.ok(t, "delete", "--force", id)
}

// home is the directory of this user's containers.
func home() string { return filepath.Join("/run/berth", strconv.Itoa(os.Geteuid())) }

// process is what can be seen of one from outside.
type process struct {
	Files  map[int]string
	Dir    string
	Limits string
	Cgroup string
	Status map[string]string
}

func look(t *testing.T, pid int) process {
	t.Helper()
	dir := fmt.Sprintf("/proc/%d/", pid)
	p := process{Files: map[int]string{}, Limits: read(dir + "limits"), Cgroup: read(dir + "cgroup"), Status: map[string]string{}}
	p.Dir, _ = os.Readlink(dir + "cwd")
	names, err := os.ReadDir(dir + "fd")
	check(t, err)
	for _, n := range names {
		fd, _ := strconv.Atoi(n.Name())
		p.Files[fd], _ = os.Readlink(dir + "fd/" + n.Name())
	}
	for line := range strings.Lines(read(dir + "status")) {
		name, value, _ := strings.Cut(line, ":")
		switch name {
		case "Umask", "Uid", "Gid", "Groups", "SigBlk", "SigIgn", "SigCgt", "NoNewPrivs", "Seccomp", "CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "Threads":
			p.Status[name] = strings.TrimSpace(value)
		}
	}
	return p
}

// The same through real runtimes, seen from inside the container.
func TestContainerInherits(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		need(t, "prlimit")
		extra, err := os.Create(s.path("extra"))
		check(t, err)
		defer extra.Close()
		script := `cat >/dev/null; ulimit -n; ulimit -Hn; ulimit -c; stat -L -c %i /proc/self/fd/3; ls /proc/self/fd | tr '\n' ' '`
		r := s.do(t, call{
			args: []string{"run", "--preserve-fds", "1", s.bundle(t, script)}, files: []*os.File{extra, extra, extra},
			env: []string{"LISTEN_FDS=3"}, prefix: []string{"prlimit", "--nofile=1000:2000", "--core=0:0"}, stdin: "x",
		})
		info, err := extra.Stat()
		check(t, err)
		// Descriptor 4 is ls's own, of the directory it lists.
		want := fmt.Sprintf("1000\n2000\n0\n%d\n0 1 2 3 4 ", info.Sys().(*syscall.Stat_t).Ino)
		if r.status != 0 || r.stdout != want {
			t.Errorf("want %q, got %+v", want, r)
		}
	})
}

// A file that only a supplementary group of the user may read can be read in the container.
func TestSupplementaryGroup(t *testing.T) {
	needRoot(t)
	ordinary, err := user.Lookup("berthtest")
	if err != nil {
		lacking(t, "the user berthtest")
	}
	group, err := user.LookupGroup("berthgrp")
	if err != nil {
		lacking(t, "the group berthgrp")
	}
	eachDriver(t, func(t *testing.T, s *site) {
		gid, err := strconv.Atoi(group.Gid)
		check(t, err)
		secret := s.write(t, "secret", "for the group\n", 0o040)
		check(t, os.Chown(secret, 0, gid))
		r := s.do(t, call{
			args:   []string{"run", "--mount", secret + ":/tmp/secret:ro", s.bundle(t, "cat /tmp/secret")},
			prefix: []string{"setpriv", "--reuid", ordinary.Uid, "--regid", ordinary.Gid, "--groups", group.Gid},
		})
		if r != (result{stdout: "for the group\n"}) {
			t.Errorf("%+v", r)
		}
		r = s.do(t, call{
			args:   []string{"run", "--mount", secret + ":/tmp/secret:ro", s.bundle(t, "cat /tmp/secret")},
			prefix: []string{"setpriv", "--reuid", ordinary.Uid, "--regid", ordinary.Gid, "--clear-groups"},
		})
		if r.status != 1 || r.stdout != "" {
			t.Errorf("without the group: %+v", r)
		}
	})
}

// F-24: standard streams that are closed, or whose reader is gone.
func TestClosedStreams(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t, "echo out; echo err >&2; exit 5")
		for name, redirect := range map[string]string{"stdin": "<&-", "stdout": ">&-", "stderr": "2>&-", "all": "<&- >&- 2>&-"} {
			r := s.do(t, call{args: []string{"run", bundle}, prefix: []string{"sh", "-c", `exec "$@" ` + redirect, "sh"}})
			if r.status != 5 && r.status != 1 { // echo's own failure is the shell's to ignore
				t.Errorf("%s closed: %+v", name, r)
			}
			refusal := s.do(t, call{args: []string{"run", "--driver=nosuch", bundle}, prefix: []string{"sh", "-c", `exec "$@" ` + redirect, "sh"}})
			if refusal.status != 125 {
				t.Errorf("%s closed: status %d of a refusal", name, refusal.status)
			}
		}
		// Nobody reads: the program gets EPIPE or SIGPIPE, as without a container.
		cmd := s.command(call{args: []string{"run", s.bundle(t, "trap '' PIPE; while echo x; do :; done 2>/dev/null; exit 9")}})
		r, w, err := os.Pipe()
		check(t, err)
		cmd.Stdout = w
		check(t, cmd.Start())
		w.Close()
		_, _ = r.Read(make([]byte, 1))
		r.Close()
		_ = cmd.Wait()
		if status := statusOf(cmd.ProcessState); status != 9 && status != 128+int(syscall.SIGPIPE) {
			t.Errorf("status %d where nobody reads", status)
		}
	})
}
