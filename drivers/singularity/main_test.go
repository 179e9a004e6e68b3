package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/berth-hpc/berth/sdk"
)

// programsEnv names the directory with berth-init, for tests of real containers.
const programsEnv = "BERTH_TEST_PROGRAMS"

// nodeRoot is the root file system with Apptainer that test/setup makes.
const nodeRoot = "/var/cache/berth-test/sid-apptainer"

// Real containers are for TestApptainer, which runs these tests where Apptainer is.
func TestMain(m *testing.M) {
	flag.Parse()
	if os.Getenv(programsEnv) == "" {
		if err := flag.Set("test.skip", "^Test(|OCI|OCIUser)Live"); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
	}
	os.Exit(m.Run())
}

// Apptainer in the root file system of its Debian: the tests of real containers, as root and as an
// ordinary user.
func TestApptainer(t *testing.T) {
	n := newNode(t)
	if got := n.enter(t, "root", "apptainer", "--version"); !strings.HasPrefix(got, "apptainer version 1.") {
		t.Errorf("another version: %q", got)
	}
	for _, user := range []string{"root", "berthtest"} {
		if out := n.enter(t, user, n.shared+"/tests", "-test.run=^TestLive", "-test.v", "-test.timeout=2m"); strings.Count(out, "--- PASS: TestLive") < 10 || strings.Contains(out, "--- SKIP") {
			t.Errorf("as %s few tests ran:\n%s", user, out)
		}
	}
}

// The kit, as root and as an ordinary user, with root in the container.
func TestConformance(t *testing.T) {
	n := newNode(t)
	t.Parallel()
	for _, user := range []string{"root", "berthtest"} {
		out := n.enter(t, user, n.shared+"/berth", "driver", "test", n.shared+"/berth-driver-singularity",
			"--lacks", "capabilities=the runtime's root has all of them")
		if !strings.Contains(out, ", 0 failed, ") {
			t.Errorf("as %s:\n%s", user, out)
		}
	}
}

// OCI mode, through berth run: as root, as an ordinary user by sudo, and as one without.
func TestApptainerOCI(t *testing.T) {
	n := newNode(t)
	run(t, "go", "build", "-o", n.shared+"/sudo", "./testdata/sudo")
	must(t, os.Chmod(n.shared+"/sudo", os.ModeSetuid|0o755))
	const table = "default_driver = \"singularity\"\n[drivers.singularity]\nmode = \"oci\"\n"
	for _, c := range []struct {
		user, more, tests string
		least             int
	}{
		{"root", "", "^TestOCILive", 6},
		{"berthtest", "isolation = \"share\"\nsudo = \"" + n.shared + "/sudo\"\n", "^TestOCILive", 6},
		{"berthtest", "", "^TestOCIUserLive", 1},
	} {
		must(t, os.WriteFile(n.shared+"/berth.toml", []byte(table+c.more), 0o644))
		out := n.enter(t, c.user, n.shared+"/tests", "-test.run="+c.tests, "-test.v", "-test.timeout=3m")
		if strings.Count(out, "--- PASS: TestOCI") < c.least || strings.Contains(out, "--- SKIP") {
			t.Errorf("as %s, %q, few tests ran:\n%s", c.user, c.more, out)
		}
	}
}

// The kit in OCI mode, as root. What fails is tried once more: Apptainer's starter crashes now and then under
// load, in Go's runtime (README).
func TestConformanceOCI(t *testing.T) {
	n := newNode(t)
	t.Parallel()
	cases := "."
	for range 2 {
		test := []string{"sh", "-c", `"$@" || :`, "sh", n.shared + "/berth", "driver", "test", n.shared + "/berth-driver-singularity", "--set", "mode=oci", "--run", cases}
		out := n.enter(t, "root", test...)
		if strings.Contains(out, ", 0 failed, ") {
			return
		}
		t.Log(out)
		var failed []string
		for _, line := range regexp.MustCompile(`(?m)^FAIL  (\S+)`).FindAllStringSubmatch(out, -1) {
			failed = append(failed, line[1])
		}
		cases = "^(" + strings.Join(failed, "|") + ")$"
	}
	t.Errorf("failed twice: %s", cases)
}

// node is a machine with Apptainer, as root enters it.
type node struct{ shared string }

func newNode(t *testing.T) *node {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can enter a root file system")
	}
	if _, err := os.Stat(nodeRoot); err != nil {
		t.Skip("missing, test/setup makes it: ", err)
	}
	shared, err := os.MkdirTemp("/var/lib", "berth-test.") // not below /tmp, where berth trusts nothing
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(shared)) })
	must(t, os.Chmod(shared, 0o755))
	sources, _ := filepath.Glob("../../init/*.c")
	run(t, "cc", append([]string{"-std=c11", "-Os", "-static", "-o", shared + "/berth-init"}, sources...)...)
	run(t, "go", "build", "-tags", "grpcnotrace", "-o", shared+"/berth", "../../host")
	run(t, "go", "build", "-tags", "grpcnotrace", "-o", shared+"/berth-driver-singularity", ".")
	run(t, "go", "test", "-tags", "grpcnotrace", "-c", "-o", shared+"/tests", ".")
	return &node{shared}
}

func run(t *testing.T, name string, args ...string) {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
}

// enter runs a command as a user of the node, which has subordinate IDs.
func (n *node) enter(t *testing.T, user string, args ...string) string {
	t.Helper()
	const prepare = `for f in /etc/subuid /etc/subgid; do echo berthtest:1000000:65536 >>$f; done; touch /etc/hosts /etc/resolv.conf /etc/localtime
		sed -i 's/^systemd cgroups = yes/systemd cgroups = no/' /etc/apptainer/apptainer.conf; install -d -m 1777 /run/berth; cd /; exec "$@"`
	args = append([]string{nodeRoot, n.shared, "sh", "-c", prepare, "sh", "setpriv", "--reuid", user, "--regid", user, "--clear-groups", "--inh-caps=-all"}, args...)
	// In time, and into a file: a process that a killed runtime has left would hold a pipe for ever.
	ctx, cancel := context.WithTimeout(t.Context(), 5*time.Minute)
	defer cancel()
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	must(t, err)
	defer said.Close()
	cmd := exec.CommandContext(ctx, "../../test/enter", args...)
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "USER=" + user, "HOME=/tmp", programsEnv + "=" + n.shared}
	cmd.Stdout, cmd.Stderr = said, said
	runErr := cmd.Run()
	out, err := os.ReadFile(said.Name())
	must(t, err)
	if runErr != nil {
		t.Errorf("%q: %v\n%s", args, runErr, out)
	}
	return string(out)
}

func TestRuntimesThatDoNotDo(t *testing.T) {
	for calls, want := range map[string]string{
		"apptainer version 1.0.3": "1.0.3 is too old", "singularity-ce version 3.8.1": "is too old", "singularity version 2.6.1": "is too old",
		"runc version 1.1.5": "neither Apptainer nor Singularity", "apptainer version x.y": "neither", "": "no such file or directory",
	} {
		l := newLab(t, calls)
		if calls == "" {
			l.settings.Runtime = l.path("nowhere")
		}
		_, err := l.Check(t.Context())
		if sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(err.Error(), want) || sdk.Advice(err) == "" {
			t.Errorf("%q: %v, advice %q", calls, err, sdk.Advice(err))
		}
	}
	l := newLab(t, "apptainer version 1.4.5-2")
	if found, err := l.Check(t.Context()); err != nil || *found != (sdk.Runtime{Name: "apptainer", Path: l.settings.Runtime, Version: "1.4.5-2"}) {
		t.Errorf("%+v, %v", found, err)
	}
}

func TestSettingsAreChecked(t *testing.T) {
	for key, change := range map[string]func(s *settings){
		"runtime":   func(s *settings) { s.Runtime = "apptainer" },
		"mode":      func(s *settings) { s.Mode = "other" },
		"isolation": func(s *settings) { s.Isolation = "maybe" },
		"sudo":      func(s *settings) { s.Mode, s.Sudo = ociMode, "sudo" },
		"":          func(s *settings) { s.Mode, s.Sudo = ociMode, "/usr/bin/sudo" },
	} {
		s := defaults()
		change(s)
		var wrong *sdk.SettingError
		if err := s.Validate(); (key != "") != (errors.As(err, &wrong) && wrong.Key == key) || key == "" && err != nil {
			t.Errorf("%+v: %v", s, err)
		}
	}
	if err := (&settings{Runtime: "/x", Mode: nativeMode, Isolation: refuse, Sudo: "/usr/bin/sudo"}).Validate(); sdk.Kind(err) != sdk.ErrInvalid {
		t.Errorf("sudo in native mode: %v", err)
	}
}

func TestBadImages(t *testing.T) {
	l := newLab(t, recent)
	l.addSubordinateIDs()
	sif := strings.Repeat("\x00", 32) + "SIF_MAGIC\x00"
	for name, text := range map[string]string{
		"nothing": "", "text": "no image at all", "short": "hsqs", "truncated": "hsqs" + strings.Repeat("\xff", 200), "short-sif": sif,
		"truncated-sif": sif + strings.Repeat("\x01", 200),
	} {
		must(t, os.WriteFile(l.path(name), []byte(text), 0o644))
		l.spec.Root.Path = l.path(name)
		if _, err := l.plan(t); sdk.Kind(err) != sdk.ErrInvalid || !strings.Contains(err.Error(), "root.path") {
			t.Errorf("%s: %v", name, err)
		}
	}
}

// What the README promises is proved by the tests that it names, and its table of settings is complete.
func TestReadmeIsTrue(t *testing.T) {
	readme, err := os.ReadFile("README.md")
	must(t, err)
	var source []byte
	files, _ := filepath.Glob("*_test.go")
	for _, file := range append(files, "../internal/userns/userns_test.go") {
		text, err := os.ReadFile(file)
		must(t, err)
		source = append(source, text...)
	}
	names := regexp.MustCompile(`Test[A-Z]\w+`).FindAllString(string(readme), -1)
	if len(names) < 10 {
		t.Errorf("only %d tests are named", len(names))
	}
	for _, name := range names {
		if !strings.Contains(string(source), fmt.Sprintf("func %s(", name)) {
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
