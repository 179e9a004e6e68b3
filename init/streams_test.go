package init_test

import (
	"bytes"
	"net"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
)

// A runtime in between, which would use up the job's streams, has none of them but stderr.
func TestStreamsAreHandedOver(t *testing.T) {
	p := need(t)
	const between = `read line || echo "runtime: no input" >&2; echo lost; exec "$@"`
	cmd := call{args: []string{
		"--hand-over", "5", "--", "/bin/sh", "-c", between, "sh",
		p.init, "--take-over", "5", "--", "/bin/sh", "-c", `cat; echo err >&2; for f in /proc/self/fd/[5-9]; do [ ! -e $f ] || echo "left $f"; done`,
	}}.command(t)
	var stdout, stderr bytes.Buffer
	cmd.Stdin, cmd.Stdout, cmd.Stderr = strings.NewReader("in\n"), &stdout, &stderr
	if err := cmd.Run(); err != nil || stdout.String() != "in\n" || stderr.String() != "runtime: no input\nerr\n" {
		t.Errorf("%v, stdout %q, stderr %q", err, &stdout, &stderr)
	}
}

// A command and its environment come along, past a runtime that would choke on either.
func TestProgramIsHandedOver(t *testing.T) {
	p := need(t)
	file := filepath.Join(openDir(t), "program")
	write := func(text string) {
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	large := strings.Repeat("x", 128<<10-8)
	hand := []string{"--hand-over", "5", "--program", file, "--", "/bin/sh", "-c", `exec "$@"`, "sh", p.init, "--take-over", "5", "--program", "--umask", "0022"}
	for text, want := range map[string]result{
		"3\x00sh\x00-c\x00echo \"$#$A\"; [ ! -e /proc/self/fd/8 ] || echo left\x00A=b\nc\x00":                       {stdout: "0b\nc\n"},
		"4\x00sh\x00-c\x00echo ${#0} ${#L} $(cat /proc/$$/environ | wc -c)\x00" + large + "\x00L=" + large + "\x00": {stdout: "131064 131064 131067\n"},
		"2\x00printenv\x00A\x00":       {status: 1},
		"1\x00nosuch\x00PATH=/bin\x00": {status: 127, stderr: "berth-init: \"nosuch\": command not found\n"},
	} {
		write(text)
		got := call{args: hand}.run(t)
		if got.status != want.status || got.stdout != want.stdout || want.status == 0 && got.stderr != "" {
			t.Errorf("%.60q: %+v", text, got)
		}
	}
	for _, text := range []string{"", "1\x00", "0\x00A=b\x00", "9\x00true\x00", "-1\x00true\x00", "true\x00"} {
		write(text)
		if got := (call{args: hand}).run(t); got.status != 125 || !strings.Contains(got.stderr, "no command was handed over") {
			t.Errorf("%q: %+v", text, got)
		}
	}
	for _, args := range [][]string{
		{"--program", "--", "true"}, {"--take-over", "900", "--program"}, {"--hand-over", "5", "--program", "/no/such/file", "--", "true"}, {"--hand-over", "5", "--program", file},
	} {
		if got := run(t, args...); got.status != 125 {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

func TestClosedStreamIsEmpty(t *testing.T) {
	p := need(t)
	got := call{exe: "/bin/sh", args: []string{
		"-c", `exec <&-; exec "$0" --hand-over 3 -- "$0" --take-over 3 -- readlink /proc/self/fd/0`, p.init,
	}}.run(t)
	if got != (result{stdout: "/dev/null\n"}) {
		t.Errorf("%+v", got)
	}
}

func TestStreamsThatWereNotPassedOn(t *testing.T) {
	got := run(t, "--take-over", "900", "--", "true")
	if got.status != 125 || !strings.Contains(got.stderr, "has not passed the container's streams on") {
		t.Errorf("%+v", got)
	}
	for _, args := range [][]string{{"--take-over", "2", "--", "true"}, {"--hand-over", "x", "--", "true"}, {"--console", "/x", "--", "true"}} {
		if got := run(t, args...); got.status != 125 {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

// The terminal that goes to the socket controls the program.
func TestConsole(t *testing.T) {
	p := need(t)
	path := filepath.Join(openDir(t), "socket")
	listener, err := net.ListenUnix("unix", &net.UnixAddr{Name: path, Net: "unix"})
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	cmd := call{args: []string{
		"--hand-over", "3", "--console", path, "--", p.init, "--take-over", "3", "--terminal", "--",
		"/bin/sh", "-c", `test -t 0 && test -t 1 && test -t 2 && echo controlled >/dev/tty; read line; exit 7`,
	}}.command(t)
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	master := receive(t, listener)
	defer master.Close()
	var seen []byte
	for buf := make([]byte, 100); !bytes.Contains(seen, []byte("controlled")); {
		n, err := master.Read(buf)
		if err != nil {
			t.Fatalf("%v after %q", err, seen)
		}
		seen = append(seen, buf[:n]...)
	}
	press(t, master, "\r")
	_ = cmd.Wait() // the status is in ProcessState
	if got := status(cmd.ProcessState); got != 7 {
		t.Errorf("status %d", got)
	}
	if got := run(t, "--hand-over", "3", "--console", "/no/such/socket", "--", "true"); got.status != 125 {
		t.Errorf("no socket: %+v", got)
	}
}

// receive takes the descriptor that comes over a socket.
func receive(t *testing.T, listener *net.UnixListener) *os.File {
	t.Helper()
	listener.SetDeadline(await.End(t))
	conn, err := listener.AcceptUnix()
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	control := make([]byte, syscall.CmsgSpace(4))
	_, n, _, _, err := conn.ReadMsgUnix(make([]byte, 64), control)
	if err != nil {
		t.Fatal(err)
	}
	messages, err := syscall.ParseSocketControlMessage(control[:n])
	if err != nil || len(messages) != 1 {
		t.Fatalf("%d messages, %v", len(messages), err)
	}
	fds, err := syscall.ParseUnixRights(&messages[0])
	if err != nil || len(fds) != 1 {
		t.Fatalf("descriptors %v, %v", fds, err)
	}
	return os.NewFile(uintptr(fds[0]), "master")
}

func TestUmask(t *testing.T) {
	for _, mask := range []string{"0027", "0000", "0777"} {
		if got := run(t, "--umask", mask, "--", "/bin/sh", "-c", "umask"); got != (result{stdout: mask + "\n"}) {
			t.Errorf("%s: %+v", mask, got)
		}
	}
}
