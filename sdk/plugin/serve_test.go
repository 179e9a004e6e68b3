package plugin

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/internal/wire"
)

// beDriver makes the test's own program a driver.
const beDriver = "BERTH_TEST_DRIVER"

func TestMain(m *testing.M) {
	if os.Getenv(beDriver) != "" {
		Serve(driver{})
	}
	os.Exit(m.Run())
}

type driver struct{}

func (driver) Run(context.Context, *sdk.Container) (*sdk.Command, error) {
	return nil, sdk.ErrUnsupported
}

// byHand starts the driver as a person would, with further variables.
func byHand(t *testing.T, env ...string) (stdout, stderr string, status int) {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Args[0] = "/opt/berth-driver-x"
	cmd.Env = append([]string{beDriver + "=1"}, env...)
	var out, errs strings.Builder
	cmd.Stdout, cmd.Stderr = &out, &errs
	var exit *exec.ExitError
	if err := cmd.Run(); err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	return out.String(), errs.String(), cmd.ProcessState.ExitCode()
}

func TestStartedByHand(t *testing.T) {
	stdout, stderr, status := byHand(t)
	want := "berth-driver-x: this is a driver of berth, which starts it by itself\n" +
		"berth-driver-x: try: berth driver test /opt/berth-driver-x\n"
	if stdout != "" || stderr != want || status != statusRefused {
		t.Errorf("stdout %q, stderr %q, status %d", stdout, stderr, status)
	}
}

func TestNoPlaceToListen(t *testing.T) {
	cookie := wire.CookieName + "=" + wire.Cookie
	for _, dir := range []string{"", "relative", "/no/such/directory"} {
		stdout, stderr, status := byHand(t, cookie, wire.SocketDirName+"="+dir)
		if stdout != "" || strings.Count(stderr, "\n") != 1 || !strings.HasPrefix(stderr, "starting the driver: ") || status != statusRefused {
			t.Errorf("%q: stdout %q, stderr %q, status %d", dir, stdout, stderr, status)
		}
	}
}

func TestScrub(t *testing.T) {
	for _, name := range []string{wire.CookieName, wire.VersionsName, wire.SocketDirName, wire.ProcsName, "PLUGIN_CLIENT_CERT"} {
		t.Setenv(name, "x")
	}
	t.Setenv("KEPT", "x")
	scrub()
	for _, entry := range os.Environ() {
		if name, _, _ := strings.Cut(entry, "="); wire.Belongs(name) {
			t.Errorf("%s is left", name)
		}
	}
	if os.Getenv("KEPT") != "x" {
		t.Error("a variable that is not the protocol's was removed")
	}
}
