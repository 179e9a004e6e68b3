package main

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// versions are the further versions of ch-run, by the release of Debian whose root file system test/setup
// makes with it. Sid moves: what is in it next month must not decide whether the tests are green, so only
// "make campaign" looks at it.
func versions() map[string]string {
	if os.Getenv("BERTH_TEST_CAMPAIGN") == "yes" {
		return map[string]string{"trixie": "0.38", "sid": "0.4"}
	}
	return map[string]string{"trixie": "0.38"}
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
	place(t, shared, "berth", "../../host")
	place(t, shared, "berth-driver-charliecloud", ".")
	build(t, filepath.Join(shared, "tests"), "test", "-c", ".")
	for suite, version := range versions() {
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
		}
		// As the ordinary user: package test has it as both with this machine's version.
		kit := enter("berthtest", shared+"/berth", "driver", "test", shared+"/berth-driver-charliecloud", "--lacks", "isolation=ch-run makes user and mount namespaces only")
		if !strings.Contains(kit, ", 0 failed, ") {
			t.Errorf("%s: %s", suite, kit)
		}
	}
}

// place puts a program into dir: the one under test, where BERTH_BIN names it, or else a new one.
func place(t *testing.T, dir, name, pkg string) {
	t.Helper()
	bin := os.Getenv("BERTH_BIN")
	if bin == "" {
		build(t, filepath.Join(dir, name), "build", pkg)
		return
	}
	program, err := os.ReadFile(filepath.Join(bin, name))
	must(t, err)
	must(t, os.WriteFile(filepath.Join(dir, name), program, 0o755))
}

func build(t *testing.T, file, verb string, args ...string) {
	t.Helper()
	cmd := exec.Command("go", append([]string{verb, "-tags", "grpcnotrace", "-ldflags", "-s -w", "-o", file}, args...)...)
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("building %s: %v\n%s", file, err, out)
	}
}
