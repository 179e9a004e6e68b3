package ociruntime

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

func TestLiveExec(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		c := l.container(t, nil, "wait")
		l.running(t, c, 1)
		args := []string{"environ", "", "a b", "$HOME", "'\"`;|", "ä\n"}
		env := []string{"A=x y", "B=$A", "C=", "D=l1\nl2", "E=ü"}
		text, err := json.Marshal(specs.Process{Args: append([]string{"/payload"}, args...), Env: env, Cwd: "/"})
		if err != nil {
			t.Fatal(err)
		}
		plan, err := l.Exec(t.Context(), c, &sdk.Process{Spec: text})
		if err != nil {
			t.Fatal(err)
		}
		files, _ := filepath.Glob(filepath.Join(c.Root, c.ID, "berth-exec-*"))
		if len(files) != 1 {
			t.Fatalf("process files: %q", files)
		}
		if info, err := os.Stat(files[0]); err != nil || info.Mode().Perm() != 0o600 {
			t.Errorf("the process file: %v, %v", info, err)
		}
		status, out := finish(t, execute(plan))
		first, rest, _ := strings.Cut(out, "\n")
		if want := `["environ" "" "a b" "$HOME" "'\"` + "`" + `;|" "ä\n"]`; status != 7 || first != want {
			t.Errorf("status %d, args %s, want %s", status, first, want)
		}
		got := strings.TrimSuffix(rest, "\n")
		if i := strings.Index(got, "\nHOME="); i >= 0 { // both runtimes add it where it is missing
			got = got[:i]
		}
		if diff := cmp.Diff(strings.Join(env, "\n"), got); diff != "" {
			t.Error(diff)
		}

		old := time.Now().Add(-2 * processFileAge)
		if err := os.Chtimes(files[0], old, old); err != nil {
			t.Fatal(err)
		}
		if _, err := l.Exec(t.Context(), c, &sdk.Process{Spec: text}); err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stat(files[0]); !os.IsNotExist(err) {
			t.Errorf("an old process file stays: %v", err)
		}
		if err := l.Delete(t.Context(), c, true); err != nil {
			t.Fatal(err)
		}
		if names := left(t, c); names != "" {
			t.Errorf("left: %s", names)
		}
	})
}

func TestLiveExecDetached(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		c := l.container(t, nil, "wait")
		l.running(t, c, 1)
		p := &sdk.Process{
			Spec: json.RawMessage(`{"args":["/payload","wait"],"cwd":"/"}`),
			IO:   sdk.IO{Detach: true, PidFile: filepath.Join(t.TempDir(), "pid")},
		}
		plan, err := l.Exec(t.Context(), c, p)
		if err != nil {
			t.Fatal(err)
		}
		if status, out := finish(t, execute(plan)); status != 0 {
			t.Fatalf("status %d: %s", status, out)
		}
		text, err := os.ReadFile(p.IO.PidFile)
		if err != nil {
			t.Fatal(err)
		}
		pid, err := strconv.Atoi(string(text))
		if err != nil || Dead(pid) {
			t.Errorf("pid file %q: %v", text, err)
		}
		if err := l.Kill(t.Context(), c, syscall.SIGKILL, true); err != nil {
			t.Fatal(err)
		}
		reap(t, pid) // its parent has ended; until then, process 1 of the container cannot end
	})
}
