package drivertest_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/drivertest"
)

// build builds a program of this module and returns its path.
func build(t *testing.T, pkg string) string {
	t.Helper()
	file := filepath.Join(t.TempDir(), filepath.Base(pkg))
	cmd := exec.Command("go", "build", "-o", file, pkg)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", pkg, err, out)
	}
	return file
}

func TestKitNoticesFlaws(t *testing.T) {
	driver, program := build(t, "./internal/flawed"), build(t, "./probe")
	for _, c := range []struct {
		flaw, cases string
		want        drivertest.Status
		says        string
	}{
		{"", "^exit/status-42$", drivertest.Pass, ""},
		{"", "^environment/(argv|env|large|clean)$", drivertest.Pass, ""},
		{"", "^stdio/(bulk|burst|at-end)", drivertest.Pass, ""},
		{"", "^descriptors/", drivertest.Pass, ""},
		{"", "^signals/forwarded$", drivertest.Pass, ""},
		{"", "^driver/(plan|strays|ends|survives)", drivertest.Pass, ""},
		{"argument", "^environment/argv$", drivertest.Fail, "arguments instead of"},
		{"variable", "^environment/clean$", drivertest.Fail, "PLUGIN_LEAK"},
		{"status", "^exit/status-42$", drivertest.Fail, "status 1 instead of 42"},
		{"file", "^exit/status-0$", drivertest.Fail, "files in the root left behind: left"},
		{"stray", "^driver/strays$", drivertest.Fail, "left behind"},
		{"kind", "^refusals/bundle$", drivertest.Fail, `an error of no kind instead of "invalid"`},
		{"", "^applied/namespaces$", drivertest.Fail, "shares the node's pid namespace"},
		{"", "^applied/seccomp$", drivertest.Fail, "sysinfo(2), which"},
		{"", "^applied/oom-score$", drivertest.Fail, "adjustment is"},
		{"", "^applied/masked-paths$", drivertest.Fail, "/proc/version, which config.json masks"},
		{"", "^lifecycle/capability$", drivertest.Fail, `State: not supported, although the driver claims "lifecycle"`},
		{"", "^create/capability$", drivertest.Lack, "checked: its calls are refused"},
	} {
		t.Run(c.flaw+c.cases, func(t *testing.T) {
			cfg := drivertest.Config{Driver: driver, Program: program, Settings: map[string]any{"flaw": c.flaw}}
			ran := 0
			_, err := drivertest.Test(t.Context(), cfg, regexp.MustCompile(c.cases), func(r drivertest.Result) {
				ran++
				text := strings.Join(r.Text(true), "\n")
				if r.Status() != c.want || !strings.Contains(text, c.says) {
					t.Errorf("%s: %s instead of %s with %q:\n%s", r.Case.Name, r.Status(), c.want, c.says, text)
				}
			})
			if err != nil || ran == 0 {
				t.Errorf("%d cases ran: %v", ran, err)
			}
		})
	}
}

// A driver of which somebody says that it lacks isolation, and which has it.
func TestKitNoticesIsolationThatIsNotRefused(t *testing.T) {
	cfg := drivertest.Config{
		Driver: build(t, "./internal/flawed"), Program: build(t, "./probe"),
		Lacks: map[drivertest.Feature]string{drivertest.Isolation: "it is said to"},
	}
	for _, c := range []struct {
		cases, says string
		want        drivertest.Status
	}{
		{"^refusals/isolation$", `hostname: no error instead of "not supported"`, drivertest.Fail},
		{"^exit/status-42$", "", drivertest.Pass},
	} {
		_, err := drivertest.Test(t.Context(), cfg, regexp.MustCompile(c.cases), func(r drivertest.Result) {
			if text := strings.Join(r.Text(true), "\n"); r.Status() != c.want || !strings.Contains(text, c.says) {
				t.Errorf("%s: %s:\n%s", r.Case.Name, r.Status(), text)
			}
		})
		if err != nil {
			t.Error(err)
		}
	}
}

func TestReadmeNamesEveryCase(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]bool{}
	var table bytes.Buffer
	for _, c := range drivertest.Cases() {
		if seen[c.Name] || !regexp.MustCompile(`^[a-z]+/[a-z0-9-]+$`).MatchString(c.Name) {
			t.Errorf("%q is no name, or used twice", c.Name)
		}
		seen[c.Name] = true
		fmt.Fprintf(&table, "| `%s` | %s | %s |\n", c.Name, c.Proves, c.Guards)
	}
	if !bytes.Contains(readme, table.Bytes()) {
		t.Errorf("README.md does not have the table of cases; it should be:\n%s", &table)
	}
}

func TestConfigRefused(t *testing.T) {
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		cfg  drivertest.Config
		says string
	}{
		"no driver":      {drivertest.Config{}, "no driver to test"},
		"missing":        {drivertest.Config{Driver: "/no/such/driver"}, "no such file"},
		"not executable": {drivertest.Config{Driver: "README.md"}, "not an executable file"},
		"feature":        {drivertest.Config{Driver: self, Lacks: map[drivertest.Feature]string{"x": "y"}}, `no feature is called "x"`},
		"reason":         {drivertest.Config{Driver: self, Lacks: map[drivertest.Feature]string{drivertest.Signals: " "}}, "no reason"},
		"settings":       {drivertest.Config{Driver: self, Settings: map[string]any{"f": func() {}}}, "writing the settings"},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := drivertest.Test(t.Context(), c.cfg, nil, func(drivertest.Result) {})
			if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(fmt.Sprint(err), c.says) {
				t.Errorf("got %v", err)
			}
		})
	}
}

func TestMainLeavesOthersAlone(t *testing.T) {
	for _, args := range [][]string{nil, {"berth"}, {"/usr/bin/berth", "run", "drivertest-launch"}, {"berth-init", "--", "x"}} {
		if handled, _ := drivertest.Main(args); handled {
			t.Errorf("%q was taken for the kit's own", args)
		}
	}
}

func TestSummary(t *testing.T) {
	for _, c := range []struct {
		sum  drivertest.Summary
		want int
	}{
		{drivertest.Summary{Passed: 1, Lacked: 2, Skipped: 3}, 0},
		{drivertest.Summary{Passed: 5, Failed: 1}, 1},
		{drivertest.Summary{Skipped: 4}, 1},
		{drivertest.Summary{}, 1},
	} {
		if got := c.sum.ExitStatus(); got != c.want {
			t.Errorf("%v: status %d instead of %d", c.sum, got, c.want)
		}
	}
}
