package client

import (
	"context"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
)

// hostHelper makes the test's own program a host that starts a driver and waits to be killed.
const hostHelper = "BERTH_TEST_HOST"

func TestMain(m *testing.M) {
	if path := os.Getenv(hostHelper); path != "" {
		beHost(path, os.Getenv("BERTH_TEST_SCRATCH"))
		return
	}
	if how, ok := os.LookupEnv(hostileMode); ok {
		beHostile(how)
	}
	os.Exit(m.Run())
}

// forever is a limit that no test waits for: what should end sooner does, or the test program's own limit
// shows that it hangs.
const forever = time.Hour

// hostile returns the path of the hostile driver, which is this very program.
func hostile(t *testing.T) string {
	t.Helper()
	path, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return path
}

// scratch makes a short private directory, and checks in the end that nothing is left in it.
func scratch(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("/tmp", "berth-client-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if left, err := os.ReadDir(dir); err != nil || len(left) > 0 {
			t.Errorf("left in the scratch directory: %v, %v", left, err)
		}
		os.RemoveAll(dir)
	})
	return dir
}

func config(t *testing.T, mode string) Config {
	return Config{Name: "hostile", Path: hostile(t), Env: []string{hostileMode + "=" + mode}, Scratch: scratch(t), StartTimeout: forever}
}

// start starts the driver in a mode in which it starts, and makes sure that it is gone in the end.
func start(t *testing.T, cfg Config) *Driver {
	t.Helper()
	d, err := Start(idle(t.Context()), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { closed(t, d) })
	return d
}

// closed closes d and checks that nothing of it is left.
func closed(t *testing.T, d *Driver) {
	t.Helper()
	d.Close()
	if err := unix.Kill(d.Pid(), 0); err != unix.ESRCH {
		t.Errorf("the driver's process is still there: %v", err)
	}
	if !await.Poll(await.End(t), func() bool { return unix.Kill(-d.Pid(), 0) == unix.ESRCH }) { // a killed member may wait for process 1 to reap it
		t.Error("something of the driver's process group is still there")
	}
}

// oneLine checks what every error must be.
func oneLine(t *testing.T, err error, parts ...string) {
	t.Helper()
	if err == nil {
		t.Fatal("no error")
	}
	text := err.Error()
	if !strings.HasPrefix(text, `driver "hostile": `) || strings.ContainsAny(text, "\n\x1b\x00") || len(text) > 1000 {
		t.Errorf("not one clean line that names the driver: %q", text)
	}
	for _, part := range parts {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
}

// container is of a step that has been prepared, since the hostile driver can prepare one.
func container() *sdk.Container {
	return &sdk.Container{ID: "c", Bundle: "/b", Root: "/r", Step: &sdk.Step{Job: "1", Step: "0", Tasks: 1, Node: "n", Dir: "/s"}}
}

// beHost starts a driver, says its pid and waits to be killed.
func beHost(path, scratch string) {
	d, err := Start(context.Background(), Config{Name: "hostile", Path: path, Env: []string{hostileMode + "="}, Scratch: scratch})
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	fmt.Println(d.Pid())
	select {}
}
