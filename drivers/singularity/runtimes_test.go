package main

import (
	"flag"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
)

// The real runtimes, which test/setup builds.
const (
	apptainer     = "/var/cache/berth-test/apptainer-1.5.3/bin/apptainer"
	singularityCE = "/var/cache/berth-test/singularity-4.1.5/bin/singularity"
)

// programs is a directory with berth, its drivers and berth-init: that of programsEnv, where a test runs this program
// again, that of BERTH_BIN, or one that TestMain builds them in.
var programs string

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
	flag.Parse()
	if programs = os.Getenv(programsEnv); programs != "" {
		return m.Run(), nil
	}
	// Those are for TestApptainerOCI, which runs this program again.
	if err := flag.Set("test.skip", "^Test(OCI|OCIUser)Live"); err != nil {
		return 0, err
	}
	if programs = os.Getenv("BERTH_BIN"); programs != "" {
		return m.Run(), nil
	}
	dir, err := os.MkdirTemp("", "berth-singularity-")
	if err != nil {
		return 0, err
	}
	defer os.RemoveAll(dir)
	programs = dir
	sources, _ := filepath.Glob("../../init/*.c")
	for _, argv := range [][]string{
		append([]string{"cc", "-std=c11", "-Os", "-static", "-o", dir + "/berth-init"}, sources...),
		{"go", "build", "-tags", "grpcnotrace", "-o", dir + "/berth", "../../host"},
		{"go", "build", "-tags", "grpcnotrace", "-o", dir + "/berth-driver-singularity", "."},
	} {
		cmd := exec.Command(argv[0], argv[1:]...)
		cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := cmd.CombinedOutput(); err != nil {
			return 0, fmt.Errorf("%q: %w: %s", argv, err, out)
		}
	}
	return m.Run(), nil
}

func needRuntime(t *testing.T, runtime string) {
	t.Helper()
	if _, err := os.Stat(runtime); err != nil {
		t.Skip("missing, test/setup makes it: ", err)
	}
}

// eachRuntime runs a test with each of the real runtimes.
func eachRuntime(t *testing.T, test func(t *testing.T, runtime string)) {
	for name, runtime := range map[string]string{"Apptainer": apptainer, "SingularityCE": singularityCE} {
		t.Run(name, func(t *testing.T) {
			needRuntime(t, runtime)
			test(t, runtime)
		})
	}
}

func TestVersionsOfTheRuntimes(t *testing.T) {
	eachRuntime(t, func(t *testing.T, runtime string) {
		l := newLab(t, "")
		l.settings.Runtime = runtime
		found, err := l.Check(t.Context())
		must(t, err)
		if want := map[string]string{apptainer: "apptainer 1.5.3", singularityCE: "singularity-ce 4.1.5"}[runtime]; found.Name+" "+found.Version != want {
			t.Errorf("%+v instead of %s", found, want)
		}
	})
}

// The kit in native mode, with root in the container: with Apptainer as an ordinary user, who has more that can go wrong, and in
// the campaign with SingularityCE as root. What else depends on who calls which is in the tests called TestLive, which
// run as both with both.
func TestConformance(t *testing.T) {
	runtime := apptainer
	if os.Geteuid() == 0 {
		if os.Getenv("BERTH_TEST_CAMPAIGN") != "yes" {
			t.Skip("as root for the campaign")
		}
		runtime = singularityCE
	}
	needRuntime(t, runtime)
	t.Parallel()
	conforms(t, "--set", "runtime="+runtime, "--lacks", "capabilities=the runtime's root has all of them")
}

// The kit in OCI mode, for root alone.
func TestConformanceOCI(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("the runtime's oci commands are for root alone")
	}
	needRuntime(t, apptainer)
	t.Parallel()
	conforms(t, "--set", "runtime="+apptainer, "--set", "mode=oci")
}

// conforms runs the kit.
func conforms(t *testing.T, options ...string) {
	t.Helper()
	args := append([]string{"driver", "test", filepath.Join(programs, "berth-driver-singularity")}, options...)
	if out, err := output(t, exec.CommandContext(await.Context(t), filepath.Join(programs, "berth"), args...)); err != nil || !strings.Contains(out, ", 0 failed, ") {
		t.Errorf("%v:\n%s", err, out)
	}
}

// output runs a command and returns what it says. That goes to a file: a process that a killed runtime has left would hold a
// pipe for ever.
func output(t *testing.T, cmd *exec.Cmd) (string, error) {
	t.Helper()
	said, err := os.Create(filepath.Join(t.TempDir(), "said"))
	must(t, err)
	defer said.Close()
	cmd.Stdout, cmd.Stderr = said, said
	runErr := cmd.Run()
	text, err := os.ReadFile(said.Name())
	must(t, err)
	return string(text), runErr
}

// OCI mode, through berth run, by the tests called TestOCILive: as root, as an ordinary user by sudo, and as one without.
func TestApptainerOCI(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("root makes the programs' directory, and a sudo")
	}
	needRuntime(t, apptainer)
	shared := install(t)
	cmd := exec.Command("go", "build", "-o", shared+"/sudo", "./testdata/sudo")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	must(t, os.Chmod(shared+"/sudo", os.ModeSetuid|0o755))
	const table = "default_driver = \"singularity\"\n[drivers.singularity]\nmode = \"oci\"\nruntime = \"" + apptainer + "\"\n"
	for _, c := range []struct {
		user, more, tests string
		least             int
	}{
		{"root", "", "^TestOCILive", 6},
		{"berthtest", "isolation = \"share\"\nsudo = \"" + shared + "/sudo\"\n", "^TestOCILive", 6},
		{"berthtest", "", "^TestOCIUserLive", 1},
	} {
		must(t, os.WriteFile(shared+"/berth.toml", []byte(table+c.more), 0o644))
		cmd := exec.CommandContext(await.Context(t), "setpriv", "--reuid", c.user, "--regid", c.user, "--clear-groups", "--inh-caps=-all",
			shared+"/tests", "-test.run="+c.tests, "-test.v", "-test.timeout=0")
		cmd.Dir = shared
		cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "USER=" + c.user, "HOME=/tmp", programsEnv + "=" + shared}
		out, err := output(t, cmd)
		if err != nil || strings.Count(out, "--- PASS: TestOCI") < c.least || strings.Contains(out, "--- SKIP") {
			t.Errorf("as %s, %q: %v\n%s", c.user, c.more, err, out)
		}
	}
}

// install copies the programs, and this one, to a directory that every user can read, for a berth.toml beside them.
func install(t *testing.T) string {
	t.Helper()
	shared, err := os.MkdirTemp("/var/lib", "berth-test.") // not below /tmp, where berth trusts nothing
	must(t, err)
	t.Cleanup(func() { must(t, os.RemoveAll(shared)) })
	must(t, os.Chmod(shared, 0o755))
	self, err := os.Executable()
	must(t, err)
	for name, from := range map[string]string{
		"berth": programs + "/berth", "berth-init": programs + "/berth-init", "berth-driver-singularity": programs + "/berth-driver-singularity", "tests": self,
	} {
		text, err := os.ReadFile(from)
		must(t, err)
		must(t, os.WriteFile(filepath.Join(shared, name), text, 0o755))
	}
	return shared
}
