package state

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

func TestLifeOfAContainer(t *testing.T) {
	p := place(t)
	defer unix.Umask(unix.Umask(0o777)) // the modes are ours, not the umask's
	r := open(t, p)
	rec := record(t, "job-7.0")
	rec.Job, rec.Step, rec.Task, rec.Node, rec.ContainerID = "7", "0", 3, "n1", "c"
	d, err := r.Create(rec)
	must(t, err)
	defer d.Close()

	if d.ID() != "job-7.0" || d.Path() != filepath.Join(p.System, uidName(), "job-7.0") {
		t.Errorf("ID %q, path %q", d.ID(), d.Path())
	}
	rt, err := d.RuntimeRoot()
	must(t, err)
	again, err := d.RuntimeRoot()
	must(t, err)
	if rt != d.Path()+"/rt" || again != rt {
		t.Errorf("runtime root %q, then %q", rt, again)
	}
	must(t, d.WriteFile("config.json", []byte("old")))
	must(t, d.WriteFile("config.json", []byte("{}")))
	for path, mode := range map[string]os.FileMode{"": os.ModeDir | 0o700, "rt": os.ModeDir | 0o700, "record": 0o600, "config.json": 0o600} {
		st, err := os.Lstat(filepath.Join(d.Path(), path))
		must(t, err)
		if st.Mode() != mode {
			t.Errorf("mode of %q is %v, want %v", path, st.Mode(), mode)
		}
	}

	found, err := r.Find("job-7.0")
	must(t, err)
	defer found.Close()
	got, err := found.Record()
	must(t, err)
	want := rec
	want.Creating = true
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("record (-want +got):\n%s", diff)
	}
	must(t, d.WriteRecord(rec))
	if got, err = found.Record(); err != nil || got.Creating {
		t.Errorf("record %+v, %v: still being created", got, err)
	}
	if dead, err := found.Dead(); dead || err != nil {
		t.Errorf("dead %v, %v, while its process runs", dead, err)
	}
	if want := []string{"config.json", "record", "rt"}; !cmp.Equal(list(t, d.Path()), want) {
		t.Errorf("directory holds %q, want %q", list(t, d.Path()), want)
	}

	must(t, d.Remove())
	must(t, d.Remove())
	must(t, found.Remove())
	if _, err := r.Find("job-7.0"); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("after Remove: %v, want ErrNotFound", err)
	}
	if left := list(t, r.Path()); len(left) != 0 {
		t.Errorf("left %q", left)
	}
}

func TestIDs(t *testing.T) {
	r := open(t, place(t))
	for _, id := range []string{"", ".", "..", "a/b", "/a", "-a", ".a", "a b", "a\x00", "ü", strings.Repeat("a", 129)} {
		if _, err := r.Find(id); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("Find %q: %v, want ErrInvalid", id, err)
		}
		rec := record(t, id)
		if _, err := r.Create(rec); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("Create %q: %v, want ErrInvalid", id, err)
		}
	}
	if left := list(t, r.Path()); len(left) != 0 {
		t.Errorf("left %q", left)
	}
}

func TestCreateTwice(t *testing.T) {
	r := open(t, place(t))
	d := create(t, r, "x")
	_, err := r.Create(record(t, "x"))
	if !errors.Is(err, sdk.ErrExists) || err.Error() != `creating container "x": container "x" already exists` {
		t.Errorf("error %v, want ErrExists", err)
	}
	d.Close() // without the lock it lives as well: its process does
	if _, err := r.Create(record(t, "x")); !errors.Is(err, sdk.ErrExists) {
		t.Errorf("error %v, want ErrExists", err)
	}
	if got := list(t, r.Path()); !cmp.Equal(got, []string{"x"}) {
		t.Errorf("left %q", got)
	}
}

func TestCreateInPlaceOfADeadOne(t *testing.T) {
	r := open(t, place(t))
	old := create(t, r, "x")
	must(t, old.WriteFile("config.json", []byte("old")))
	must(t, old.WriteRecord(deadRecord(t, "x")))
	old.Close()
	create(t, r, "x")
	if got := list(t, filepath.Join(r.Path(), "x")); !cmp.Equal(got, []string{"record"}) {
		t.Errorf("new container holds %q", got)
	}
}

func TestCreateWhereSomethingElseIs(t *testing.T) {
	r := open(t, place(t))
	must(t, os.WriteFile(filepath.Join(r.Path(), "file"), nil, 0o600))
	must(t, os.Symlink(t.TempDir(), filepath.Join(r.Path(), "link")))
	must(t, os.Mkdir(filepath.Join(r.Path(), "empty"), 0o700))
	for _, id := range []string{"file", "link"} {
		if _, err := r.Create(record(t, id)); !errors.Is(err, sdk.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", id, err)
		}
	}
	create(t, r, "empty") // what a removal that was cut short leaves
	if got := list(t, r.Path()); !cmp.Equal(got, []string{"empty", "file", "link"}) {
		t.Errorf("left %q", got)
	}
}

func TestWriteFileStaysInTheDirectory(t *testing.T) {
	d := create(t, open(t, place(t)), "x")
	outside := filepath.Join(t.TempDir(), "f")
	must(t, os.WriteFile(outside, []byte("mine"), 0o600))
	must(t, os.Symlink(outside, d.Path()+"/config.json"))
	must(t, d.WriteFile("config.json", []byte("{}")))
	if data, err := os.ReadFile(outside); err != nil || string(data) != "mine" {
		t.Errorf("the link's target holds %q, %v", data, err)
	}
	for _, name := range []string{"", ".", "..", "../x", "a/b", "/etc/x", ".hidden"} {
		if err := d.WriteFile(name, nil); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%q: %v, want ErrInvalid", name, err)
		}
	}
	must(t, os.Symlink(t.TempDir(), d.Path()+"/rt"))
	if _, err := d.RuntimeRoot(); !errors.Is(err, sdk.ErrUnavailable) {
		t.Errorf("runtime root that is a link: %v, want ErrUnavailable", err)
	}
}

func TestLock(t *testing.T) {
	r := open(t, place(t))
	first := create(t, r, "x")
	second, err := r.Find("x")
	must(t, err)
	defer second.Close()
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond) // waited for in full: the other keeps it
	defer cancel()
	err = second.Lock(ctx)
	if !errors.Is(err, sdk.ErrState) || !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("lock that another has: %v, want ErrState and DeadlineExceeded", err)
	}
	must(t, first.Lock(t.Context())) // has it already
	first.Close()
	must(t, second.Lock(t.Context()))

	third, err := r.Find("x")
	must(t, err)
	defer third.Close()
	waiting := make(chan error)
	go func() { waiting <- third.Lock(t.Context()) }()
	must(t, second.Remove())
	second.Close()
	if err := <-waiting; !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("lock of what was removed meanwhile: %v, want ErrNotFound", err)
	}
}

// deadRecord is of a process that has ended.
func deadRecord(t testing.TB, id string) Record {
	t.Helper()
	rec := record(t, id)
	rec.StartTime++ // this pid, some other time
	return rec
}
