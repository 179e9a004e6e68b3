package init_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A link is there before the command is, and what is in its place stays.
func TestLink(t *testing.T) {
	need(t)
	dir := t.TempDir()
	place, taken := filepath.Join(dir, "place"), write(t, 0o644, "mine", dir, "taken")
	if got := run(t, "--link", "/some/where", place, "--", "/bin/readlink", place); got != (result{stdout: "/some/where\n"}) {
		t.Errorf("got %+v", got)
	}
	got := run(t, "--link", "/some/where", taken, "--", "/bin/true")
	if got.status != 125 || got.stderr != `berth-init: linking "`+taken+`": File exists`+"\n" {
		t.Errorf("got %+v", got)
	}
	if text, err := os.ReadFile(taken); string(text) != "mine" {
		t.Errorf("%q, %v", text, err)
	}
	for _, args := range [][]string{{"--link"}, {"--link", "/x"}} {
		if got := run(t, args...); got.status != 125 || !strings.HasPrefix(got.stderr, "berth-init: ") {
			t.Errorf("%q: %+v", args, got)
		}
	}
}

func TestNoNewPrivileges(t *testing.T) {
	need(t)
	got := run(t, "--no-new-privileges", "--", "/bin/sed", "-n", "/NoNewPrivs/p", "/proc/self/status")
	if got != (result{stdout: "NoNewPrivs:\t1\n"}) {
		t.Errorf("got %+v", got)
	}
}
