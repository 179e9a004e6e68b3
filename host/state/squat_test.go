package state

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

// The real thing: root's sticky directory, an ordinary user whose name another user took, and many
// of the user's tasks at once. Each container is found by every later call.
func TestManyTasksMeetASquatter(t *testing.T) {
	needRoot(t, "acts as two other users")
	const tasks, uid, squatter = 12, 2000, 2001
	base, err := os.MkdirTemp("/run", "berth-state-")
	must(t, err)
	t.Cleanup(func() { os.RemoveAll(base) })
	must(t, os.Chmod(base, 0o755))
	system := filepath.Join(base, "berth")
	root, err := Open(Place{System: system, UID: 0}) // which makes it
	must(t, err)
	root.Close()
	for _, name := range []string{"2000", "2000.0"} {
		must(t, os.Mkdir(filepath.Join(system, name), 0o700))
		must(t, os.Chown(filepath.Join(system, name), squatter, squatter))
	}
	task := func(i int, phase string) {
		cmd := child(t, "meet squatters", "BERTH_TEST_SYSTEM="+system, fmt.Sprint("BERTH_TEST_ID=t", i), "BERTH_TEST_PHASE="+phase)
		cmd.SysProcAttr.Credential = &syscall.Credential{Uid: uid, Gid: uid}
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("%s %d: %v\n%s", phase, i, err, out)
		}
	}
	for _, phase := range []string{"create", "find"} {
		atOnce(tasks, func(i int) { task(i, phase) })
	}
	for _, name := range list(t, system) {
		if st, err := os.Stat(filepath.Join(system, name)); err == nil && strings.HasPrefix(name, "2000") {
			if owner := st.Sys().(*syscall.Stat_t).Uid; owner == squatter && len(list(t, filepath.Join(system, name))) != 0 {
				t.Errorf("the squatter's %q was used", name)
			}
		}
	}
}

func meetSquatters() {
	p := Place{System: os.Getenv("BERTH_TEST_SYSTEM"), UID: os.Geteuid()}
	id := os.Getenv("BERTH_TEST_ID")
	if os.Getenv("BERTH_TEST_PHASE") == "create" {
		r, err := Open(p)
		check(err)
		rec, err := NewRecord(os.Getpid())
		check(err)
		rec.ID = id
		_, err = r.Create(rec)
		check(err)
		return
	}
	r, err := Lookup(p)
	check(err)
	d, err := r.Find(id)
	check(err)
	dead, err := d.Dead()
	check(err)
	if !dead {
		check(errors.New("its task has ended and it is not dead"))
	}
	if _, err := Lookup(Place{System: p.System, UID: 0}); !errors.Is(err, sdk.ErrInvalid) {
		check(fmt.Errorf("root's: %v, want ErrInvalid", err))
	}
	check(deleteContainer(r, id))
}
