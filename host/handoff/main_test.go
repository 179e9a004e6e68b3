package handoff

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// role makes the test's own program one of those below.
const role = "BERTH_TEST_ROLE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "":
		os.Exit(m.Run())
	case "host":
		host()
	case "task":
		report()
	}
	os.Exit(0)
}

// task is what a test asks of a host.
type task struct {
	Files   int
	PassOn  []int
	Dir     string
	Env     []string
	Stray   bool     // start what a driver might leave: a child, and an orphan in a session of its own
	Child   bool     // start a child before Begin, as a job's shell might have
	Plan    []string // plan this instead of a report
	Missing bool     // plan a program that does not exist, then report
	Signal  bool     // say "ready" after Begin and wait for a line before Exec
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(125)
	}
}

func host() {
	var t task
	check(json.Unmarshal([]byte(os.Getenv("BERTH_TEST_TASK")), &t))
	if t.Child {
		check(exec.Command("/bin/sleep", "1000").Start())
	}
	g, err := Begin(t.Files)
	check(err)
	check(func() error {
		if t.PassOn == nil {
			return nil
		}
		return g.PassOn(t.PassOn...)
	}())
	leak, err := os.Open("/dev/zero") // a descriptor of the host's own
	check(err)
	defer leak.Close()
	if t.Stray {
		check(exec.Command("/bin/sleep", "1000").Start())
		// The shell ends at once: its children come to the subreaper.
		check(exec.Command("/bin/sh", "-c", "setsid sleep 1000 & sleep 1000 & exit 0").Run())
	}
	if t.Signal {
		fmt.Println("ready")
		_, _ = bufio.NewReader(os.Stdin).ReadString('\n')
	}
	cmd := &sdk.Command{Path: "/proc/self/exe", Args: []string{"task"}, Env: append([]string{role + "=task"}, t.Env...), Dir: t.Dir}
	if t.Plan != nil {
		cmd.Path, cmd.Args = t.Plan[0], t.Plan
	}
	if t.Missing {
		cmd.Path = "/no/such/program"
	}
	err = g.Exec(cmd)
	if g.Interrupted() != 0 {
		g.DieOf(g.Interrupted())
	}
	if !t.Missing {
		check(err)
	}
	fmt.Println(err)
	report()
}

// found is what the task finds itself to be.
type found struct {
	Pid       int
	Dir       string
	Env       []string
	Umask     int
	Files     map[int]string
	Children  int
	Subreaper bool
	NoNewPriv int
}

func report() {
	f := found{Pid: os.Getpid(), Env: os.Environ(), Files: map[int]string{}, Children: len(children())}
	f.Dir, _ = os.Getwd()
	f.Umask = unix.Umask(0)
	f.Subreaper, _ = isSubreaper()
	f.NoNewPriv, _ = unix.PrctlRetInt(unix.PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0)
	open, err := inherited()
	check(err)
	for fd := range open {
		if fd > 2 {
			f.Files[fd], _ = os.Readlink(fmt.Sprintf("/proc/self/fd/%d", fd))
		}
	}
	check(json.NewEncoder(os.Stdout).Encode(f))
}

// start starts a host for t with the open files.
func start(t *testing.T, what task, files ...*os.File) *exec.Cmd {
	t.Helper()
	text, err := json.Marshal(what)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{role + "=host", "BERTH_TEST_TASK=" + string(text), "HOST=only"}
	cmd.ExtraFiles = files
	// A session of its own, so that what it leaves can be found and ended.
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true, Pdeathsig: syscall.SIGKILL}
	t.Cleanup(func() {
		if cmd.Process != nil {
			_ = unix.Kill(-cmd.Process.Pid, unix.SIGKILL)
		}
	})
	return cmd
}

// become runs a host and returns what its task found.
func become(t *testing.T, what task, files ...*os.File) (found, string, *exec.Cmd) {
	t.Helper()
	cmd := start(t, what, files...)
	var errs strings.Builder
	cmd.Stderr = &errs
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	var f found
	said := ""
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if json.Unmarshal(lines.Bytes(), &f) == nil {
			break
		}
		said = lines.Text()
	}
	if err := cmd.Wait(); err != nil {
		t.Fatalf("%v: %s", err, errs.String())
	}
	return f, said, cmd
}

// diedOf returns the signal by which a host ended, or 0.
func diedOf(t *testing.T, err error) syscall.Signal {
	t.Helper()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if exit == nil {
		return 0
	}
	status := exit.Sys().(syscall.WaitStatus)
	if !status.Signaled() {
		t.Fatalf("exit status %d", status.ExitStatus())
	}
	return status.Signal()
}
