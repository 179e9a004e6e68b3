package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

// programsEnv names the directory of the programs that the tests need, where somebody has built them.
const programsEnv = "BERTH_TEST_PROGRAMS"

func TestMain(m *testing.M) {
	status, err := testMain(m)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		status = 1
	}
	os.Exit(status)
}

func testMain(m *testing.M) (int, error) {
	if os.Getenv(programsEnv) != "" {
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "charliecloud-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	os.Setenv(programsEnv, dir)
	if err := buildInit(dir + "/berth-init"); err != nil {
		return 0, err
	}
	return m.Run(), nil
}

func berthInit() string { return filepath.Join(os.Getenv(programsEnv), "berth-init") }

func buildInit(file string) error {
	sources, _ := filepath.Glob("../../init/*.c")
	out, err := exec.Command("cc", append([]string{"-std=c11", "-Os", "-static", "-o", file}, sources...)...).CombinedOutput()
	if err != nil {
		return fmt.Errorf("building berth-init: %w: %s", err, out)
	}
	return nil
}

// Other versions of ch-run, each in the root file system of its Debian: the tests of real containers,
// as root and as an ordinary user, and the conformance kit.
func TestVersions(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can enter a root file system")
	}
	shared, err := os.MkdirTemp("/var/lib", "berth-test.") // not below /tmp, where berth trusts nothing
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(shared)) })
	must(t, os.Chmod(shared, 0o755))
	must(t, buildInit(filepath.Join(shared, "berth-init")))
	for name, pkg := range map[string]string{"berth": "../../host", "berth-driver-charliecloud": "."} {
		build(t, filepath.Join(shared, name), "build", pkg)
	}
	build(t, filepath.Join(shared, "tests"), "test", "-c", ".")
	for suite, version := range map[string]string{"trixie": "0.38", "sid": "0.4"} {
		root := "/var/cache/berth-test/" + suite + "-charliecloud"
		if _, err := os.Stat(root); err != nil {
			t.Skip("missing, test/setup makes it: ", err)
		}
		enter := func(user string, args ...string) string {
			args = append([]string{root, shared, "setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--inh-caps=-all"}, args...)
			cmd := exec.Command("../../test/enter", args...)
			cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "USER=" + user, "HOME=/tmp", programsEnv + "=" + shared}
			out, err := cmd.CombinedOutput()
			if err != nil {
				t.Errorf("%s: %q: %v\n%s", suite, args, err, out)
			}
			return string(out)
		}
		if got := enter("root", "ch-run", "--version"); !strings.HasPrefix(got, version) {
			t.Errorf("%s has ch-run %q instead of %s", suite, got, version)
		}
		for _, user := range []string{"root", "berthtest"} {
			if out := enter(user, shared+"/tests", "-test.run=^TestLive", "-test.v"); strings.Count(out, "--- PASS: TestLive") < 10 {
				t.Errorf("%s: few tests ran:\n%s", suite, out)
			}
			if user == "root" {
				continue // the kit takes a while; package test has it with this machine's version
			}
			kit := enter(user, shared+"/berth", "driver", "test", shared+"/berth-driver-charliecloud", "--lacks", "isolation=ch-run makes user and mount namespaces only")
			if !strings.Contains(kit, ", 0 failed, ") {
				t.Errorf("%s, as %s: %s", suite, user, kit)
			}
		}
	}
}

func build(t *testing.T, file, verb string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{verb, "-tags", "grpcnotrace", "-o", file}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", file, err, out)
	}
}

func TestVersionsAreRead(t *testing.T) {
	for text, want := range map[string]int{"0.31\n": 31, "0.45.2": 45, "0.38~pre+a": 38, "1.0": 1 << 20} {
		if _, minor, err := parseVersion(text); err != nil || minor != want {
			t.Errorf("%q: %d, %v", text, minor, err)
		}
	}
	for _, text := range []string{"", "x", "runc version 1.1.5", "0.", ".31", "0.31 and more"} {
		if _, _, err := parseVersion(text); err == nil {
			t.Errorf("%q was taken", text)
		}
	}
}

func TestRuntimesThatDoNotDo(t *testing.T) {
	for script, want := range map[string]string{"#!/bin/sh\necho 0.30\n": "0.30 is too old", "#!/bin/sh\necho hello\n": "is no ch-run", "#!/bin/sh\nexit 1\n": "exit status 1"} {
		file := filepath.Join(t.TempDir(), "ch-run")
		must(t, os.WriteFile(file, []byte(script), 0o755))
		d := &driver{settings: &settings{Runtime: file, Isolation: refuse}}
		_, err := d.Check(t.Context())
		if sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(err.Error(), want) || sdk.Advice(err) == "" {
			t.Errorf("%q: %v, advice %q", script, err, sdk.Advice(err))
		}
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for _, s := range []settings{{Runtime: "ch-run", Isolation: refuse}, {Runtime: "/x", Isolation: "maybe"}} {
		if err := s.Validate(); sdk.Kind(err) != sdk.ErrInvalid {
			t.Errorf("%+v: %v", s, err)
		}
	}
}

// What the README promises is proved by the tests that it names, and its table of settings is complete.
func TestReadmeIsTrue(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	must(t, err)
	var source []byte
	files, _ := filepath.Glob("*_test.go")
	beside, _ := filepath.Glob("../../*/*_test.go")
	slurm, _ := filepath.Glob("../../test/slurm/*_test.go")
	for _, file := range append(slices.Concat(files, beside, slurm), "../internal/userns/userns_test.go") {
		text, err := os.ReadFile(file)
		must(t, err)
		source = append(source, text...)
	}
	names := regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(string(readme), -1)
	if len(names) < 10 {
		t.Errorf("only %d tests are named", len(names))
	}
	for _, name := range names {
		if !strings.Contains(string(source), "func "+name+"(") {
			t.Errorf("there is no %s", name)
		}
	}
	fields := reflect.TypeFor[settings]()
	for i := range fields.NumField() {
		if key := fields.Field(i).Tag.Get("json"); !strings.Contains(string(readme), "| `"+key+"` |") {
			t.Errorf("setting %s is missing", key)
		}
	}
}
