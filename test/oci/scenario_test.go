package oci

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// scenario is one case of the comparison.
type scenario struct {
	name    string
	root    bool   // root's alone
	user    bool   // an ordinary user's alone
	runtime string // for this runtime alone
	edits   []edit
	play    func(b *box) // engine is the default
	// shows is what the bare runtime's record must have in it: that both fail in the same unforeseen
	// way proves nothing. The default is the exit status 0 of the probe; "?" leaves it open.
	shows string
	// differs has, by runtime, what berth-oci's record has in it where the two records are known not to
	// be the same. docs/conformance.md says why.
	differs map[string]string
}

// runtimes are those to compare: for an ordinary user crun alone, which is the cheaper one, unless this is a campaign.
// What differs for him differs in berth-oci, and in the kernel; how he fares with runc the kit shows, too.
func runtimes() []string {
	if !isRoot() && os.Getenv("BERTH_TEST_CAMPAIGN") != "yes" {
		return []string{"crun"}
	}
	return []string{"runc", "crun"}
}

// compare plays scenarios bare and through berth-oci, with each runtime, at the same time.
func compare(t *testing.T, scenarios []scenario) {
	t.Helper()
	for _, runtime := range runtimes() {
		t.Run(runtime, func(t *testing.T) {
			need(t, runtime)
			for _, s := range scenarios {
				if s.root && !isRoot() || s.user && isRoot() || s.runtime != "" && s.runtime != runtime {
					continue
				}
				t.Run(s.name, func(t *testing.T) {
					t.Parallel()
					s.compare(t, runtime)
				})
			}
		})
	}
}

func (s scenario) compare(t *testing.T, runtime string) {
	bare := s.record(t, newBox(t, runtime, runtime))
	shows := s.shows
	if shows == "" {
		shows = "container ended with 0"
	}
	if shows != "?" && !strings.Contains(bare, shows) {
		t.Errorf("the bare %s does not show %q, so this case compares nothing:\n%s", runtime, shows, bare)
	}
	front := s.record(t, newBox(t, runtime, subject(runtime)...))
	if want, ok := s.differs[runtime]; ok {
		if !strings.Contains(front, want) {
			t.Errorf("berth-oci does not show %q:\n%s", want, front)
		}
		return
	}
	if diff := cmp.Diff(strings.Split(bare, "\n"), strings.Split(front, "\n")); diff != "" {
		t.Errorf("%s alone (-) and behind berth-oci (+):\n%s", runtime, diff)
	}
}

// both is a difference from either runtime.
func both(shows string) map[string]string {
	return map[string]string{"runc": shows, "crun": shows}
}

// subject is the command line that is compared with the bare runtime.
func subject(runtime string) []string {
	if os.Getenv("BERTH_TEST_BARE") != "" {
		return []string{runtime}
	}
	return []string{filepath.Join(programs, "berth-oci"), "--driver", runtime}
}

func (s scenario) record(t *testing.T, b *box) string {
	t.Helper()
	b.calledNamespaces(os.Getpid(), "the caller's")
	if s.play == nil {
		s.play = engine
	}
	b.edits = s.edits
	s.play(b)
	return b.said.String()
}

// engine plays a bundle as engines do: create, start, the process's end, delete.
func engine(b *box) {
	b.engine(call{}, b.bundle(b.edits...))
}

// engine is engine for that bundle, with what c adds to the call of create.
func (b *box) engine(c call, bundle string, options ...string) {
	b.t.Helper()
	pidFile := b.path("pid")
	c.args = append(append([]string{"create", "--bundle", bundle, "--pid-file", pidFile}, options...), b.id)
	cmd, out, errs := b.start(c)
	status := b.wait(cmd)
	b.note("create: status %d", status)
	if status != 0 {
		text := b.content(errs)
		b.t.Logf("%q: %s", b.command, text)
		b.note("error: %s", kinds(text))
		b.ask("state", b.id)
		b.ask("delete", "--force", b.id)
		return
	}
	b.ask("start", b.id)
	b.note("container ended with %d", b.reap(pidFile))
	b.note("stdout: %s", b.content(out))
	b.note("stderr: %s", b.content(errs))
	b.ask("delete", b.id)
	b.noteFiles()
}

// foreground plays a bundle with one call of run.
func foreground(b *box) {
	r := b.ask("run", "--bundle", b.bundle(b.edits...), b.id)
	b.note("container ended with %d", r.status)
	b.ask("state", b.id)
	b.noteFiles()
}

// noteFiles notes what the container or its hooks left in the files of the box.
func (b *box) noteFiles() {
	files, err := filepath.Glob(b.path("shared/*.log"))
	b.check(err)
	for _, f := range files {
		b.note("%s: %s", filepath.Base(f), read(f))
	}
}

// need makes sure that a runtime and what it needs are there.
func need(t testing.TB, runtime string) {
	t.Helper()
	for _, name := range []string{runtime, "busybox"} {
		if _, err := exec.LookPath(name); err != nil {
			lacking(t, "program "+name)
		}
	}
	var st unix.Statfs_t
	if runtime == "crun" && unix.Statfs("/sys/fs/cgroup/unified", &st) == nil && st.Type == unix.CGROUP2_SUPER_MAGIC {
		lacking(t, "a cgroup layout that crun takes: /sys/fs/cgroup/unified is mounted beside version 1")
	}
	if out, err := exec.Command("unshare", "--user", "--map-root-user", "true").CombinedOutput(); err != nil && !isRoot() {
		lacking(t, "user namespaces for ordinary users: "+string(out))
	}
}

// lacking skips a test that needs what this machine has not, and fails it where nothing may be
// missing.
func lacking(t testing.TB, what string) {
	t.Helper()
	if os.Getenv("BERTH_TEST_FULL") != "" {
		t.Fatalf("missing: %s", what)
	}
	t.Skipf("missing: %s", what)
}
