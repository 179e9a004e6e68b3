package doctor

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/sdk"
)

// Drivers that fail as real ones do; a driver is any program.
const (
	endsAtOnce = "#!/bin/false\n"
	hangs      = "#!/bin/sh\nexec sleep 60\n"
)

// builtDriver is the real driver for runc: that of BERTH_BIN, the directory of the programs under
// test, or one built anew.
var builtDriver = sync.OnceValues(func() ([]byte, error) {
	if bin := os.Getenv("BERTH_BIN"); bin != "" {
		return os.ReadFile(filepath.Join(bin, "berth-driver-runc"))
	}
	dir, err := os.MkdirTemp("", "berth-doctor-")
	if err != nil {
		return nil, err
	}
	defer os.RemoveAll(dir)
	program := filepath.Join(dir, "driver")
	build := exec.Command("go", "build", "-buildvcs=false", "-o", program, "../../drivers/runc")
	build.Env = append(os.Environ(), "GOPROXY=off")
	if out, err := build.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	return os.ReadFile(program)
})

func needDriver(t *testing.T) []byte {
	t.Helper()
	data, err := builtDriver()
	if err != nil {
		t.Skip("needs the driver for runc, in BERTH_BIN or by go build: ", err)
	}
	return data
}

// withDriver is an installation with a driver for runc, and a host that can start it.
func withDriver(t *testing.T, driver []byte, toml string) *Node {
	t.Helper()
	n := installed(t, "")
	must(t, os.WriteFile(filepath.Join(n.Layout.Drivers, "berth-driver-runc"), driver, 0o755))
	runtimeDir := t.TempDir()
	must(t, os.Chmod(runtimeDir, 0o700))
	removeStateAfter(t)
	host, err := dispatch.New([]string{"XDG_RUNTIME_DIR=" + runtimeDir}, nil, false)
	must(t, err)
	must(t, os.WriteFile(n.Layout.Config, []byte(replace(toml, "SITE", filepath.Dir(n.Layout.Config))), 0o644))
	load(t, n)
	host.Layout, host.Trust, host.Config = n.Layout, n.Trust, n.Host.Config
	n.Host = host
	return n
}

// removeStateAfter removes the node's container directory where the test is the first to need it.
func removeStateAfter(t *testing.T) {
	if _, err := os.Stat(state.DefaultSystem); os.IsNotExist(err) {
		t.Cleanup(func() {
			os.Remove(filepath.Join(state.DefaultSystem, uidName()))
			os.Remove(state.DefaultSystem)
		})
	}
}

// runtimeScript is a runtime that knows its version.
func runtimeScript(t *testing.T, n *Node, text string) {
	t.Helper()
	path := filepath.Join(filepath.Dir(n.Layout.Config), "runc")
	must(t, os.WriteFile(path, []byte("#!/bin/sh\necho '"+text+"'\n"), 0o755))
	must(t, os.Chmod(path, 0o755))
}

func TestDrivers(t *testing.T) {
	driver := needDriver(t)
	const settings = "[deadlines]\nhandshake = \"2s\"\n[drivers.runc]\nruntime = \"SITE/runc\"\n"
	examineDrivers := func(t *testing.T, n *Node) ([]Finding, *examination) {
		e := &examination{Node: *n, ctx: context.Background(), check: drivers().name}
		drivers().look(e)
		return e.findings, e
	}
	t.Run("works", func(t *testing.T) {
		n := withDriver(t, driver, settings)
		runtimeScript(t, n, "runc version 1.1.5+ds1")
		f, e := examineDrivers(t, n)
		if f[0].Status == StatusBroken && strings.Contains(f[0].What, "user namespaces") {
			t.Skip("needs user namespaces: ", f[0].What)
		}
		one(t, f, StatusOK, `driver "runc": runc 1.1.5+ds1, `+filepath.Dir(n.Layout.Config)+"/runc", "")
		if len(e.runtimes) != 1 || e.runtimes[0].Version != "1.1.5+ds1" {
			t.Errorf("runtimes for the check of versions: %+v", e.runtimes)
		}
	})
	t.Run("last one for auto", func(t *testing.T) {
		n := withDriver(t, driver, settings)
		f, _ := examineDrivers(t, n)
		one(t, f, StatusBroken, "runtime not usable on this node", "apt-get install runc")
	})
	t.Run("among others", func(t *testing.T) {
		n := withDriver(t, driver, settings+"[drivers.odd]\npath = \"SITE/drivers/berth-driver-odd\"\n")
		runtimeScript(t, n, "runc version 1.4.3")
		add(t, n, "odd", endsAtOnce)
		f, _ := examineDrivers(t, n)
		if len(f) != 2 {
			t.Fatalf("found %+v", f)
		}
		one(t, f[:1], StatusWarning, `driver "odd": `, "berth driver check odd")
		one(t, f[1:], StatusOK, `driver "runc": runc 1.4.3`, "")
		judge(t, drivers(), f[0])
	})
	t.Run("named in a rule", func(t *testing.T) {
		n := withDriver(t, driver, "[[rules]]\nuser = [\"bob\"]\ndriver = \"odd\"\n"+settings)
		runtimeScript(t, n, "runc version 1.4.3")
		add(t, n, "odd", endsAtOnce)
		f, _ := examineDrivers(t, n)
		one(t, f[:1], StatusBroken, `driver "odd": `, "berth driver check odd")
		judge(t, drivers(), f[0])
	})
	t.Run("hangs", func(t *testing.T) {
		n := withDriver(t, driver, "[deadlines]\nhandshake = \"200ms\"\n")
		must(t, os.Remove(filepath.Join(n.Layout.Drivers, "berth-driver-runc")))
		for _, name := range []string{"a", "b", "c"} {
			add(t, n, name, hangs)
		}
		f, _ := examineDrivers(t, n)
		if len(f) != 3 {
			t.Fatalf("found %+v", f)
		}
		for _, f := range f {
			one(t, []Finding{f}, StatusBroken, "not ready within 200ms", f.Mend)
			judge(t, drivers(), f)
		}
	})
	t.Run("without a place for sockets", func(t *testing.T) {
		n := withDriver(t, driver, settings)
		must(t, os.Remove(n.State.System))
		f, _ := examineDrivers(t, n)
		one(t, f, StatusNote, "1 driver not asked", "install -d -m 1777 "+n.State.System)
	})
	t.Run("none", func(t *testing.T) {
		n := goodNode(t)
		one(t, examine(t, n, drivers()), StatusOK, "no driver was asked", "")
	})
}

// add installs a script as a driver.
func add(t *testing.T, n *Node, name, script string) {
	t.Helper()
	path := filepath.Join(n.Layout.Drivers, "berth-driver-"+name)
	must(t, os.WriteFile(path, []byte(script), 0o755))
	must(t, os.Chmod(path, 0o755))
}

// A runtime that is not there is no fault of the node's, as long as the site does not want it.
func TestAbsent(t *testing.T) {
	unusable := errors.New("not usable")
	for name, c := range map[string]struct {
		answer answer
		want   bool
	}{
		"not installed":       {answer{&sdk.Runtime{Name: "x"}, unusable}, true},
		"installed, unusable": {answer{&sdk.Runtime{Name: "x", Path: "/usr/bin/x"}, unusable}, false},
		"works":               {answer{&sdk.Runtime{Name: "x", Path: "/usr/bin/x"}, nil}, false},
		"does not answer":     {answer{nil, unusable}, false},
	} {
		if got := c.answer.absent(); got != c.want {
			t.Errorf("%s: %v", name, got)
		}
	}
}
