package doctor

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/host/dispatch"
)

// asProgram makes the test's own program berth doctor, so that it can be run as what it is: from an
// installation, by other users, with an exit status.
const asProgram = "BERTH_DOCTOR_TEST"

func TestMain(m *testing.M) {
	if how := os.Getenv(asProgram); how != "" {
		os.Exit(program(how == "json"))
	}
	os.Exit(m.Run())
}

func program(asJSON bool) int {
	host, err := dispatch.New(os.Environ(), nil, false)
	n, err := Here(os.Environ(), host, err)
	if err != nil {
		io.WriteString(os.Stderr, err.Error())
		return 125
	}
	findings := Examine(context.Background(), n)
	show := Print
	if asJSON {
		show = PrintJSON
	}
	if err := show(os.Stdout, findings); err != nil || Broken(findings) {
		return 1
	}
	return 0
}

// buildTree is a build tree with the test's program as berth and the real driver for runc.
func buildTree(t *testing.T) string {
	t.Helper()
	dir := site(t)
	self, err := os.ReadFile("/proc/self/exe")
	must(t, err)
	for name, data := range map[string][]byte{
		"berth": self, "berth-init": []byte("#!/bin/false\n"), "berth-driver-runc": needDriver(t),
	} {
		must(t, os.WriteFile(filepath.Join(dir, name), data, 0o755))
		must(t, os.Chmod(filepath.Join(dir, name), 0o755))
	}
	return dir
}

// run runs the program as a user and returns what it writes and its exit status.
func run(t *testing.T, dir, how string, uid int, env ...string) (stdout string, status int) {
	t.Helper()
	cmd := exec.Command(filepath.Join(dir, "berth"))
	cmd.Dir, cmd.Env = "/", append([]string{asProgram + "=" + how, "HOME=/", "PATH=/usr/bin:/bin", coverage(t)}, env...)
	if uid != os.Geteuid() {
		cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uint32(uid), Gid: uint32(uid)}}
	}
	var out, errs bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errs
	err := cmd.Run()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Fatal(err)
	}
	if errs.Len() > 0 {
		t.Errorf("on stderr: %s", errs.String())
	}
	return out.String(), cmd.ProcessState.ExitCode()
}

// coverage says where the program leaves its own figures, without which it complains on stderr.
func coverage(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	must(t, os.Chmod(filepath.Dir(dir), 0o755))
	must(t, os.Chmod(dir, 0o777))
	return "GOCOVERDIR=" + dir
}

// TestProgram examines the node that the test runs on.
func TestProgram(t *testing.T) {
	dir := buildTree(t)
	before := tree(t, dir)
	users := []int{os.Geteuid()}
	if os.Geteuid() == 0 {
		users = append(users, 2000)
	}
	for _, uid := range users {
		runtimeDir := t.TempDir()
		must(t, os.Chmod(filepath.Dir(runtimeDir), 0o755))
		must(t, os.Chown(runtimeDir, uid, -1))
		must(t, os.Chmod(runtimeDir, 0o700))
		out, status := run(t, dir, "json", uid, "XDG_RUNTIME_DIR="+runtimeDir)
		var findings []Finding
		must(t, json.Unmarshal([]byte(out), &findings))
		all := checks()
		var order []string
		for _, f := range findings {
			i := slices.IndexFunc(all, func(c check) bool { return c.name == f.Check })
			if i < 0 {
				t.Fatalf("as uid %d: %q is no check", uid, f.Check)
			}
			judge(t, all[i], f)
			if !slices.Contains(order, f.Check) {
				order = append(order, f.Check)
			}
		}
		for i, c := range all {
			if i >= len(order) || order[i] != c.name {
				t.Fatalf("as uid %d: the order is %v", uid, order)
			}
		}
		if want := map[bool]int{true: 1, false: 0}[Broken(findings)]; status != want {
			t.Errorf("as uid %d: exit status %d, want %d", uid, status, want)
		}
		text, again := run(t, dir, "text", uid, "XDG_RUNTIME_DIR="+runtimeDir)
		if again != status || !strings.HasSuffix(text, summary(findings)+"\n") {
			t.Errorf("as uid %d: for people exit status %d and\n%s", uid, again, text)
		}
		t.Logf("as uid %d:\n%s", uid, text)
	}
	if after := tree(t, dir); !slices.Equal(before, after) {
		t.Errorf("examining changed %v to %v", before, after)
	}
}

// A configuration that nothing can be run with is examined like everything else.
func TestProgramWithBrokenConfiguration(t *testing.T) {
	dir := buildTree(t)
	must(t, os.WriteFile(filepath.Join(dir, "berth.toml"), []byte("default_drivr = 1\n"), 0o644))
	out, status := run(t, dir, "text", os.Geteuid())
	if status != 1 || !strings.Contains(out, `berth.toml:1:1: unknown key "default_drivr"`) || !strings.Contains(out, "mend: berth config check") {
		t.Errorf("exit status %d and\n%s", status, out)
	}
}

// Root of a user namespace is no root of the node: nobody does not exist there, and what belongs to
// the node's root is seen as somebody else's.
func TestProgramInUserNamespace(t *testing.T) {
	cmd := exec.Command(filepath.Join(buildTree(t), "berth"))
	cmd.Dir, cmd.Env = "/", []string{asProgram + "=json", "PATH=/usr/bin:/bin"}
	cmd.SysProcAttr = &syscall.SysProcAttr{
		Cloneflags:  syscall.CLONE_NEWUSER,
		UidMappings: []syscall.SysProcIDMap{{HostID: os.Geteuid(), Size: 1}},
		GidMappings: []syscall.SysProcIDMap{{HostID: os.Getegid(), Size: 1}},
	}
	out, err := cmd.Output()
	var exit *exec.ExitError
	if err != nil && !errors.As(err, &exit) {
		t.Skip("needs a user namespace: ", err)
	}
	var findings []Finding
	must(t, json.Unmarshal(out, &findings))
	for _, f := range findings {
		switch {
		case f.Check == "caller" && !strings.Contains(f.What, "uid 0 of a user namespace"),
			f.Check == "user-namespaces" && !strings.Contains(f.What, "uid 0 can"),
			strings.Contains(f.What, "does not belong to root"):
			t.Errorf("found %+v", f)
		}
	}
}

// tree lists the files below a directory with what a change of them would show.
func tree(t *testing.T, dir string) []string {
	t.Helper()
	var files []string
	must(t, filepath.Walk(dir, func(path string, info os.FileInfo, err error) error {
		if err == nil {
			files = append(files, strings.Join([]string{path, info.Mode().String(), info.ModTime().String()}, " "))
		}
		return err
	}))
	return files
}
