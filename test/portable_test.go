package test

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// Bundles that others made run unedited: for root, rootless of another uid, and as root has them.
func TestForeignBundles(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		need(t, "runc")
		dir := s.mkdir(t, "stock")
		spec(t, dir)
		link(t, dir)
		rootless := s.mkdir(t, "rootless")
		text := spec(t, rootless, "--rootless")
		foreign := strings.ReplaceAll(text, fmt.Sprintf(`"hostID": %d,`, os.Geteuid()), `"hostID": 54321,`)
		if foreign == text {
			t.Fatalf("runc spec --rootless names no uid:\n%s", text)
		}
		put(t, filepath.Join(rootless, "config.json"), foreign)
		link(t, rootless)
		for name, bundle := range map[string]string{"stock": dir, "rootless of another uid": rootless} {
			r := s.berth(t, "run", "--tty=false", bundle, "--", "sh", "-c", "id -u; pwd; hostname")
			want := "0\n/\nrunc\n"
			if r.status != 0 || r.stderr != "" || r.stdout != want {
				t.Errorf("%s: want %q, got %+v", name, want, r)
			}
			refused(t, s.berth(t, "run", bundle), "terminal", "--tty=false")
			if status, out := s.onTerminal(t, "run", bundle, "--", "sh", "-c", "tty; id -u; exit 3"); status != 3 || !strings.Contains(out, "/dev/") || !strings.Contains(out, "0\r\n") {
				t.Errorf("%s on a terminal: status %d, %q", name, status, out)
			}
		}
	})
}

func spec(t *testing.T, dir string, options ...string) string {
	t.Helper()
	cmd := exec.Command("runc", append([]string{"spec"}, options...)...)
	if _, err := exec.LookPath("runc"); err != nil {
		cmd = exec.Command("/usr/sbin/runc", append([]string{"spec"}, options...)...)
	}
	cmd.Dir = dir
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("runc spec: %v: %s", err, out)
	}
	return read(filepath.Join(dir, "config.json"))
}

// link puts the root file system where a stock bundle looks for it.
func link(t *testing.T, bundle string) {
	t.Helper()
	check(t, os.Symlink(rootfs(t), filepath.Join(bundle, "rootfs")))
}

// onTerminal makes a call on a terminal of its own and returns its status and what it wrote.
func (s *site) onTerminal(t *testing.T, args ...string) (int, string) {
	t.Helper()
	master, terminal := openTerminal(t)
	defer master.Close()
	cmd := s.command(call{args: args})
	onTerminal(cmd, terminal)
	bounded(t, cmd)
	terminal.Close()
	output := s.converse(t, master, nil)
	_ = cmd.Wait()
	return statusOf(cmd.ProcessState), output
}

// A process of another id than root: crun makes the caller that id, runc cannot and says so beforehand.
func TestOtherUser(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		r := s.berth(t, "run", s.bundle(t, "id -u; id -g", set(object{"uid": 1000, "gid": 1000}, "process", "user")))
		if s.driver == "runc" && os.Geteuid() != 0 {
			refused(t, r, `berth: driver "runc": `, "only as user id 0", "crun")
			return
		}
		if r != (result{stdout: "1000\n1000\n"}) {
			t.Errorf("%+v", r)
		}
	})
}
