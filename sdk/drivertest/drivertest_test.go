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
	"sync"
	"testing"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/drivertest"
)

// programs is a directory that goes with TestMain.
var programs string

// built builds the flawed driver and the kit's own programs into it.
var built = sync.OnceValue(func() error {
	// As "make build" builds the probe.
	cmd := exec.Command("go", "build", "-buildvcs=false", "-trimpath", "-tags=grpcnotrace", "-ldflags=-s -w", "-o", programs+"/", "./internal/flawed", "./launch", "./probe")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("building the programs: %w\n%s", err, out)
	}
	return nil
})

func TestMain(m *testing.M) {
	dir, err := os.MkdirTemp("", "drivertest-")
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	programs = dir
	status := m.Run()
	os.RemoveAll(dir)
	os.Exit(status)
}

// flawed is the configuration for a driver with a flaw, "" for none.
func flawed(t *testing.T, flaw string) drivertest.Config {
	t.Helper()
	if err := built(); err != nil {
		t.Fatal(err)
	}
	return drivertest.Config{
		Driver: filepath.Join(programs, "flawed"), Program: filepath.Join(programs, "launch"), Probe: filepath.Join(programs, "probe"),
		Settings: map[string]any{"flaw": flaw},
	}
}

func TestKitNoticesFlaws(t *testing.T) {
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
		{"all", "^exit/status-0$", drivertest.Fail, "status 125 instead of 0"},
		{"all", "^exit/status-1$", drivertest.Lack, "process.args"},
		{"kind", "^refusals/bundle$", drivertest.Fail, `an error of no kind instead of "invalid"`},
		{"", "^applied/namespaces$", drivertest.Fail, "shares the node's pid namespace"},
		{"", "^applied/seccomp$", drivertest.Fail, "sysinfo(2), which"},
		{"", "^applied/oom-score$", drivertest.Fail, "adjustment is"},
		{"", "^applied/masked-paths$", drivertest.Fail, "/proc/version, which config.json masks"},
		{"", "^lifecycle/capability$", drivertest.Fail, `State: not supported, although the driver claims "lifecycle"`},
		{"", "^create/capability$", drivertest.Lack, "checked: its calls are refused"},
	} {
		t.Run(c.flaw+c.cases, func(t *testing.T) {
			ran := 0
			_, err := drivertest.Test(t.Context(), flawed(t, c.flaw), regexp.MustCompile(c.cases), func(r drivertest.Result) {
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
	cfg := flawed(t, "")
	cfg.Lacks = map[drivertest.Feature]string{drivertest.Isolation: "it is said to"}
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

// A driver that rightly refuses what every bundle asks for fails in nothing, and that is said in one line.
func TestRightRefusalIsNoFailure(t *testing.T) {
	for flaw, want := range map[string]drivertest.Summary{
		"shares":       {Passed: 1, Lacked: 1, Undeclared: drivertest.Isolation, Refusal: `driver "tested": linux.namespaces: it cannot do that`},
		"capabilities": {Lacked: 1, Undeclared: drivertest.Capabilities, Refusal: `driver "tested": process.capabilities: it cannot do that`},
	} {
		cases := regexp.MustCompile("^(exit/status-0|refusals/isolation)$")
		if want.Passed == 0 {
			cases = regexp.MustCompile("^refusals/isolation$")
		}
		got, err := drivertest.Test(t.Context(), flawed(t, flaw), cases, func(r drivertest.Result) { t.Log(r.Case.Name, r.Text(true)) })
		if err != nil || got != want {
			t.Errorf("%s: %+v instead of %+v, %v", flaw, got, want, err)
		}
		line, counts, _ := strings.Cut(got.String(), "\n")
		if !strings.Contains(line, fmt.Sprintf("--lacks '%s=REASON'", want.Undeclared)) || !strings.Contains(counts, " 0 failed") {
			t.Errorf("%s: %s", flaw, got)
		}
	}
}

// What "make build" has put into this program, if it has, is the program of this source.
func TestCarriedProbeIsFresh(t *testing.T) {
	file := "internal/carried/program/berth-probe"
	got, err := os.ReadFile(file)
	if os.IsNotExist(err) {
		t.Skip("not built: ", file)
	}
	if text, err := os.ReadFile(flawed(t, "").Probe); err != nil || !bytes.Equal(text, got) {
		t.Errorf("%s is of another source, %v: run make", file, err)
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
		"starts":         {drivertest.Config{Driver: self, Starts: -1}, "less than nothing"},
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
