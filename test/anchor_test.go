package test

import (
	"encoding/json"
	"errors"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
)

// anchored is a site for containers of a driver that only runs, created and started as podman and docker do.
func anchored(t *testing.T) *site {
	s := furtherSite(t, "charliecloud", "isolation = \"share\"\n")
	s.link(t, "berth-oci", "berth")
	return s
}

// oci makes a call of berth-oci.
func (s *site) oci(t testing.TB, args ...string) result {
	t.Helper()
	return s.do(t, call{program: "berth-oci", args: args})
}

// ociOK makes a call of berth-oci that has to succeed.
func (s *site) ociOK(t testing.TB, args ...string) string {
	t.Helper()
	r := s.oci(t, args...)
	if r.status != 0 || r.stderr != "" {
		t.Fatalf("berth-oci %q: %+v", args, r)
	}
	return r.stdout
}

// anchor is a created container, whose process this test waits for: it becomes its child.
type anchor struct {
	s       *site
	id      string
	pid     int
	out     *os.File
	pidFile string
}

// hold creates a container, as conmon does: with streams of its own and as a child subreaper.
func (s *site) hold(t *testing.T, bundle string, options ...string) *anchor {
	t.Helper()
	check(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	a := &anchor{s: s, id: s.id()}
	a.pidFile = s.path(a.id + ".pid")
	var err error
	a.out, err = os.Create(s.path(a.id + ".out"))
	check(t, err)
	t.Cleanup(func() { a.out.Close() })
	args := append([]string{"create", "--bundle", bundle, "--pid-file", a.pidFile}, options...)
	cmd := s.command(call{program: "berth-oci", args: append(args, a.id)})
	cmd.Stdin, cmd.Stdout, cmd.Stderr = nil, a.out, a.out
	if err := cmd.Run(); err != nil {
		t.Fatalf("create: %v: %s", err, read(a.out.Name()))
	}
	a.pid, err = strconv.Atoi(read(a.pidFile))
	check(t, err)
	return a
}

// wait reaps the container's process, as conmon does, and returns its status.
func (a *anchor) wait(t *testing.T) int {
	t.Helper()
	var ws syscall.WaitStatus
	eventually(t, "the container ends", func() bool {
		pid, err := syscall.Wait4(a.pid, &ws, syscall.WNOHANG, nil)
		if err != nil && !errors.Is(err, syscall.EINTR) {
			t.Fatalf("waiting for %d: %v", a.pid, err)
		}
		return pid == a.pid
	})
	if ws.Signaled() {
		return 128 + int(ws.Signal())
	}
	return ws.ExitStatus()
}

// is checks what state says.
func (a *anchor) is(t *testing.T, status string) {
	t.Helper()
	var state struct {
		Status, ID, Bundle string
		Pid                int
	}
	check(t, json.Unmarshal([]byte(a.s.ociOK(t, "state", a.id)), &state))
	if state.Status != status || state.ID != a.id || (state.Pid == a.pid) != (status != "stopped") {
		t.Errorf("%+v instead of %s, pid %d", state, status, a.pid)
	}
}

// The process in the pid file is the container from create to its end, with its status and its streams.
func TestAnchor(t *testing.T) {
	s := anchored(t)
	a := s.hold(t, s.bundle(t, "echo $TOKEN; trap 'exit 7' USR1; while :; do sleep 0.05; done"))
	a.is(t, "created")
	if text := read(a.out.Name()); text != "" {
		t.Errorf("before the start: %q", text)
	}
	s.ociOK(t, "start", a.id)
	a.is(t, "running")
	eventually(t, "the program runs", func() bool { return read(a.out.Name()) == s.token+"\n" })
	if r := s.oci(t, "start", a.id); r.status != 1 || !oneLineAbout(r.stderr, "has been started") {
		t.Errorf("started twice: %+v", r)
	}
	if r := s.oci(t, "exec", a.id, "sh", "-c", "echo $TOKEN; exit 9"); r != (result{status: 9, stdout: s.token + "\n"}) {
		t.Errorf("exec: %+v", r)
	}
	s.ociOK(t, "kill", a.id, "USR1")
	if status := a.wait(t); status != 7 {
		t.Errorf("status %d instead of 7", status)
	}
	a.is(t, "stopped")
	if r := s.oci(t, "create", "--bundle", s.bundle(t, ""), a.id); r.status != 1 || !strings.Contains(r.stderr, "already exists") {
		t.Errorf("created before it was deleted: %+v", r)
	}
	s.ociOK(t, "delete", a.id)
	s.ociOK(t, "delete", "--force", a.id)
	if r := s.oci(t, "delete", a.id); r.status != 1 || !oneLineAbout(r.stderr, "does not exist") {
		t.Errorf("deleted twice: %+v", r)
	}
}

// A container that is never started: killed, deleted, or its directory removed.
func TestAnchorEndsBeforeItsStart(t *testing.T) {
	s := anchored(t)
	bundle := s.bundle(t, "echo ran")
	for name, c := range map[string]struct {
		end    func(a *anchor)
		status int
		then   string
	}{
		"kill TERM": {func(a *anchor) { s.ociOK(t, "kill", a.id, "TERM") }, 143, "stopped"},
		"kill KILL": {func(a *anchor) { s.ociOK(t, "kill", a.id, "9") }, 137, "stopped"},
		"delete":    {func(a *anchor) { s.ociOK(t, "delete", a.id) }, 137, ""},
		"force":     {func(a *anchor) { s.ociOK(t, "delete", "--force", a.id) }, 137, ""},
		"directory": {func(a *anchor) { check(t, os.RemoveAll(containerDir(t, a.id))) }, 1, ""},
	} {
		a := s.hold(t, bundle)
		c.end(a)
		if status := a.wait(t); status != c.status {
			t.Errorf("%s: status %d instead of %d", name, status, c.status)
		}
		if c.then != "" {
			a.is(t, c.then)
			if r := s.oci(t, "start", a.id); r.status != 1 || !oneLineAbout(r.stderr, "is stopped") {
				t.Errorf("%s: started: %+v", name, r)
			}
			s.ociOK(t, "delete", a.id)
		}
		if text := read(a.out.Name()); strings.Contains(text, "ran") {
			t.Errorf("%s: it ran: %q", name, text)
		}
	}
}

// containerDir is where the container's record is.
func containerDir(t *testing.T, id string) string {
	t.Helper()
	for _, home := range homes() {
		if _, err := os.Stat(filepath.Join(home, id)); err == nil {
			return filepath.Join(home, id)
		}
	}
	t.Fatalf("no directory of %s", id)
	return ""
}

// What create cannot do it refuses with one line, and leaves nothing.
func TestAnchorRefuses(t *testing.T) {
	s := anchored(t)
	plain, terminal := s.bundle(t, ""), s.bundle(t, "", set(true, "process", "terminal"))
	for _, c := range []struct {
		word string
		args []string
	}{
		{"pid file", []string{"--bundle", plain, "--pid-file", s.path("no/such/directory/pid")}},
		{"console socket", []string{"--bundle", terminal}},
		{"console socket", []string{"--bundle", terminal, "--console-socket", s.path("nobody")}},
		{"seccomp", []string{"--bundle", s.bundle(t, "", set("SCMP_ACT_ALLOW", "linux", "seccomp", "defaultAction"))}},
		{"no such file", []string{"--bundle", s.path("no/such/bundle")}},
	} {
		id := s.id()
		r := s.oci(t, append(append([]string{"create"}, c.args...), id)...)
		first, _, _ := strings.Cut(r.stderr, "\n")
		if r.status != 1 || r.stdout != "" || !strings.Contains(first, c.word) || !strings.HasPrefix(first, "berth-oci: ") {
			t.Errorf("%s: %+v", c.word, r)
		}
		if r := s.oci(t, "state", id); r.status != 1 || !strings.Contains(r.stderr, "does not exist") {
			t.Errorf("%s: afterwards: %+v", c.word, r)
		}
	}
}

// A container that is deleted while it is created is never there: who creates it gives up.
func TestAnchorDeletedWhileItIsMade(t *testing.T) {
	s := newSite(t)
	s.link(t, "berth-oci", "berth")
	s.misbehaving(t, "plain")
	s.configure(t, "[drivers.plain]\nat = \"run\"\nfault = \"hang\"\n")
	id, bundle := s.id(), s.bundle(t, "")
	created := make(chan result)
	go func() {
		created <- s.do(t, call{program: "berth-oci", args: []string{"--driver", "plain", "create", "--bundle", bundle, id}})
	}()
	eventually(t, "it is being created", func() bool { return strings.Contains(s.oci(t, "state", id).stdout, `"creating"`) })
	s.ociOK(t, "delete", "--force", id)
	if r := <-created; r.status == 0 || !strings.Contains(r.stderr, "interrupted") {
		t.Errorf("create: %+v", r)
	}
	if r := s.oci(t, "state", id); r.status != 1 || !strings.Contains(r.stderr, "does not exist") {
		t.Errorf("afterwards: %+v", r)
	}
}

// The container's terminal is made by the anchor and belongs to whoever listens at the console socket.
func TestAnchorTerminal(t *testing.T) {
	s := anchored(t)
	socket := s.path("console")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: socket, Net: "unix"})
	check(t, err)
	defer listener.Close()
	master := make(chan *os.File, 1)
	go func() { master <- receiveMaster(t, listener) }()
	a := s.hold(t, s.bundle(t, "stty size; tty; read -r x; echo got $x; exit 4", set(true, "process", "terminal"),
		set(object{"height": 33, "width": 77}, "process", "consoleSize")), "--console-socket", socket)
	terminal := <-master
	defer terminal.Close()
	s.ociOK(t, "start", a.id)
	_, err = terminal.WriteString("typed\n")
	check(t, err)
	if status := a.wait(t); status != 4 {
		t.Errorf("status %d instead of 4", status)
	}
	check(t, terminal.SetReadDeadline(await.End(t)))
	var text strings.Builder
	for buffer := make([]byte, 4096); ; {
		n, err := terminal.Read(buffer)
		text.Write(buffer[:n])
		if err != nil {
			break // EIO: the other side is closed
		}
	}
	for _, want := range []string{"33 77", "got typed"} {
		if !strings.Contains(text.String(), want) {
			t.Errorf("%q lacks %q", text.String(), want)
		}
	}
	s.ociOK(t, "delete", a.id)
}

func receiveMaster(t *testing.T, l *net.UnixListener) *os.File {
	conn, err := l.AcceptUnix()
	if err != nil {
		t.Error(err)
		return nil
	}
	defer conn.Close()
	name, control := make([]byte, 4096), make([]byte, unix.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(name, control)
	if err != nil {
		t.Error(err)
		return nil
	}
	messages, err := unix.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		t.Errorf("%d messages: %v", len(messages), err)
		return nil
	}
	fds, err := unix.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		t.Errorf("%d descriptors: %v", len(fds), err)
		return nil
	}
	_ = unix.SetNonblock(fds[0], true) // so that reading has a deadline
	return os.NewFile(uintptr(fds[0]), "master")
}

// exec --detach and run --detach return once the program runs, with its pid in the pid file.
func TestAnchorDetached(t *testing.T) {
	s := anchored(t)
	check(t, unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0))
	a := &anchor{s: s, id: s.id(), pidFile: s.path("run.pid")}
	cmd := s.command(call{program: "berth-oci", args: []string{"run", "--detach", "--pid-file", a.pidFile, "--bundle", s.bundle(t, "exec sleep 100000"), a.id}})
	cmd.Stdin = nil
	check(t, run(cmd))
	a.pid = number(t, a.pidFile)
	a.is(t, "running")

	process, err := json.Marshal(object{"args": list{"sh", "-c", "exit 6"}, "cwd": "/", "env": list{"PATH=/bin"}})
	check(t, err)
	file := s.write(t, "process.json", string(process), 0o644)
	further := &anchor{s: s, id: a.id, pidFile: s.path("exec.pid")}
	cmd = s.command(call{program: "berth-oci", args: []string{"exec", "--detach", "--pid-file", further.pidFile, "--process", file, a.id}})
	cmd.Stdin = nil
	check(t, run(cmd))
	further.pid = number(t, further.pidFile)
	if status := further.wait(t); status != 6 {
		t.Errorf("exec's status is %d instead of 6", status)
	}
	s.ociOK(t, "delete", "--force", a.id)
	if status := a.wait(t); status != 137 {
		t.Errorf("status %d instead of 137", status)
	}
}

// run runs a command whose children live on with its streams closed.
func run(cmd *exec.Cmd) error {
	cmd.Stdout, cmd.Stderr = nil, nil
	return cmd.Run()
}

func number(t *testing.T, file string) int {
	t.Helper()
	n, err := strconv.Atoi(read(file))
	check(t, err)
	return n
}
