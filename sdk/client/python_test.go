package client

import (
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
)

// pythonDriver puts the Python driver and its generated modules together.
func pythonDriver(t *testing.T) string {
	t.Helper()
	if err := exec.Command("/usr/bin/python3", "-c", "import grpc, google.protobuf").Run(); err != nil {
		t.Skipf("needs Debian's python3-grpcio and python3-protobuf: %v", err)
	}
	if _, err := exec.LookPath("protoc"); err != nil {
		t.Skip("needs Debian's protobuf-compiler")
	}
	dir := t.TempDir()
	const from = "testdata/python-driver"
	out, err := exec.Command("protoc", "--python_out="+dir, "-I"+from, "-I../internal/wire/driverv1", "rpc.proto", "driver.proto").CombinedOutput()
	if err != nil {
		t.Fatalf("generating modules: %v\n%s", err, out)
	}
	text, err := os.ReadFile(from + "/driver.py")
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(dir, "berth-driver-python")
	if err := os.WriteFile(path, text, 0o700); err != nil {
		t.Fatal(err)
	}
	return path
}

// docs/protocol.md is enough to write a driver without this SDK.
func TestPythonDriver(t *testing.T) {
	cfg := Config{Name: "hostile", Path: pythonDriver(t), Scratch: scratch(t), StartTimeout: forever, Settings: []byte(`{"program":"/bin/echo"}`)}
	d := start(t, cfg)
	ctx := await.Context(t)
	about, err := d.Describe(ctx)
	want := &Description{
		Version: "1.0", Protocol: 1, Capabilities: []string{"check", "lifecycle"},
		Settings: []Key{{Name: "program", Type: "string", Doc: "what a container runs", Default: `"/bin/true"`}},
	}
	if diff := cmp.Diff(want, about); err != nil || diff != "" {
		t.Errorf("Describe: %v\n%s", err, diff)
	}
	found, err := d.Check(ctx)
	if err != nil || found.Path != "/bin/echo" {
		t.Errorf("Check: %+v, %v", found, err)
	}
	cmd, err := d.Run(ctx, container())
	if diff := cmp.Diff(&sdk.Command{Path: "/bin/echo", Args: []string{"/bin/echo", "c", "not UTF-8: \xff"}, Env: []string{"PATH=/usr/bin:/bin"}}, cmd); err != nil || diff != "" {
		t.Errorf("Run: %v\n%s", err, diff)
	}
	if state, err := d.State(ctx, container()); err != nil || state.Pid != d.Pid() {
		t.Errorf("State: %+v, %v", state, err)
	}
	_, err = d.State(ctx, &sdk.Container{ID: "unknown"})
	oneLine(t, err, "no container unknown: hélas")
	if !errors.Is(err, sdk.ErrNotFound) || sdk.Advice(err) != "look elsewhere" {
		t.Errorf("State of an unknown one: %#v with advice %q", err, sdk.Advice(err))
	}
	if err := d.Kill(ctx, container(), 15, false); err != nil {
		t.Errorf("Kill: %v", err)
	}
	if err := d.Pause(ctx, container()); !errors.Is(err, sdk.ErrUnsupported) {
		t.Errorf("Pause: %v", err)
	}
}

func TestPythonDriverSettings(t *testing.T) {
	path := pythonDriver(t)
	for text, key := range map[string]string{`{"programm":"x"}`: "programm", `{"program":1}`: "program"} {
		cfg := Config{Name: "hostile", Path: path, Scratch: scratch(t), StartTimeout: forever, Settings: []byte(text)}
		_, err := start(t, cfg).Run(await.Context(t), container())
		var setting *sdk.SettingError
		if !errors.As(err, &setting) || setting.Key != key || !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: %v", text, err)
		}
	}
	cfg := Config{Name: "hostile", Path: path, Scratch: scratch(t), StartTimeout: forever, Settings: []byte(`{"program":"/no/such"}`)}
	found, err := start(t, cfg).Check(await.Context(t))
	if found == nil || !errors.Is(err, sdk.ErrUnavailable) || sdk.Advice(err) != "set program" {
		t.Errorf("Check: %+v, %v", found, err)
	}
}
