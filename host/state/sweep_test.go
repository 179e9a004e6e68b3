package state

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// What dies at any point leaves something that a sweep recognises; what lives stays.
func TestSweep(t *testing.T) {
	tests := []struct {
		name  string
		make  func(t *testing.T, r *Root)
		swept bool
	}{
		{"just made", func(t *testing.T, r *Root) { mkdir(t, r, ".00000001") }, true},
		{"without its name yet", func(t *testing.T, r *Root) {
			d := create(t, r, "x")
			must(t, d.rename(".00000001"))
			d.Close()
		}, true},
		{"creator died", func(t *testing.T, r *Root) { die(t, create(t, r, "x")) }, true},
		{"creator died with a runtime root", func(t *testing.T, r *Root) {
			d := create(t, r, "x")
			_, err := d.RuntimeRoot()
			must(t, err)
			die(t, d)
		}, true},
		{"runtime left a cache", func(t *testing.T, r *Root) {
			d := create(t, r, "x")
			must(t, os.MkdirAll(d.Path()+"/rt/.cache/seccomp", 0o700))
			die(t, d)
		}, true},
		{"removal cut short", func(t *testing.T, r *Root) { mkdir(t, r, "x/rt") }, true},
		{"earlier boot", func(t *testing.T, r *Root) {
			d := create(t, r, "x")
			must(t, os.MkdirAll(d.Path()+"/rt/x", 0o700))
			rec := record(t, "x")
			rec.BootID = "00000000-0000-0000-0000-000000000000"
			must(t, d.WriteRecord(rec))
			d.Close()
		}, true},
		{"running", func(t *testing.T, r *Root) { create(t, r, "x").Close() }, false},
		{"being created", func(t *testing.T, r *Root) { create(t, r, "x") }, false},
		{"being deleted", func(t *testing.T, r *Root) { must(t, create(t, r, "x").WriteRecord(deadRecord(t, "x"))) }, false},
		{"known to the runtime", func(t *testing.T, r *Root) {
			d := create(t, r, "x")
			must(t, os.MkdirAll(d.Path()+"/rt/x", 0o700))
			die(t, d)
		}, false},
		{"known to the runtime, without record", func(t *testing.T, r *Root) { mkdir(t, r, "x/rt/x") }, false},
		{"damaged record", func(t *testing.T, r *Root) {
			d := create(t, r, "x")
			must(t, d.WriteFile(recordFile, []byte("{")))
			d.Close()
		}, false},
		{"scratch in use", func(t *testing.T, r *Root) {
			_, remove, err := r.Scratch()
			must(t, err)
			t.Cleanup(func() { must(t, remove()) })
		}, false},
		{"not a container", func(t *testing.T, r *Root) { must(t, os.WriteFile(r.Path()+"/x", nil, 0o600)) }, false},
		{"symlink", func(t *testing.T, r *Root) { must(t, os.Symlink(t.TempDir(), r.Path()+"/x")) }, false},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			r := open(t, place(t))
			test.make(t, r)
			before := list(t, r.Path())
			removed, err := r.Sweep(Budget{10, 10_000})
			after := list(t, r.Path())
			if test.swept && (removed != 1 || len(after) != 0 || err != nil) {
				t.Errorf("removed %d, %v, left %q", removed, err, after)
			}
			if !test.swept && (removed != 0 || !slices.Equal(before, after)) {
				t.Errorf("removed %d, %v: %q became %q", removed, err, before, after)
			}
		})
	}
}

func TestSweepIsBounded(t *testing.T) {
	r := open(t, place(t))
	for _, id := range []string{"a", "b", "c", "d", "e"} {
		die(t, create(t, r, id))
	}
	if n, err := r.Sweep(Budget{10, 0}); n != 0 || err != nil {
		t.Errorf("with nothing to spend: removed %d, %v", n, err)
	}
	total := 0
	for total < 5 {
		n, err := r.Sweep(Budget{2, 10_000})
		must(t, err)
		if want := min(2, 5-total); n != want {
			t.Fatalf("removed %d, want %d", n, want)
		}
		total += n
	}
}

// A leftover that is too big for one sweep holds nobody up: each sweep removes a part, and none forgets the rest.
func TestSweepOfSomethingBig(t *testing.T) {
	const files, budget = 100, 8
	r := open(t, place(t))
	d := create(t, r, "x")
	for _, sub := range []string{"/left/a", "/left/b"} {
		must(t, os.MkdirAll(d.Path()+sub, 0o700))
		for i := range files {
			must(t, os.WriteFile(fmt.Sprintf("%s%s/%d", d.Path(), sub, i), nil, 0o600))
		}
	}
	must(t, os.WriteFile(d.Path()+"/config.json", nil, 0o600))
	die(t, d)
	for before, sweeps := countNames(t, r.Path()), 1; ; sweeps++ {
		removed, err := r.Sweep(Budget{10, budget})
		must(t, err)
		after := countNames(t, r.Path())
		if done := before - after; after > 0 && (done < 1 || done > budget+1) || removed > 0 != (after == 0) {
			t.Fatalf("sweep %d removed %d of %d names, and is said to have removed %d directories", sweeps, done, before, removed)
		}
		if _, err := r.Find("x"); err == nil {
			t.Errorf("after sweep %d the ID is still taken", sweeps)
		}
		if before = after; after == 0 {
			return
		}
	}
}

// countNames counts what is below a directory.
func countNames(t *testing.T, dir string) (count int) {
	t.Helper()
	must(t, filepath.WalkDir(dir, func(string, fs.DirEntry, error) error { count++; return nil }))
	return count - 1
}

func TestScratch(t *testing.T) {
	short := open(t, place(t))
	long := place(t)
	long.UserRuntimeDir = filepath.Join(t.TempDir(), strings.Repeat("x", 200))
	must(t, os.Mkdir(long.UserRuntimeDir, 0o700))
	long.System += "/missing/berth"
	t.Setenv("TMPDIR", "/nowhere")
	for name, r := range map[string]*Root{"home": short, "long path": open(t, long)} {
		t.Run(name, func(t *testing.T) {
			dir, remove, err := r.Scratch()
			must(t, err)
			st, err := os.Lstat(dir)
			must(t, err)
			if st.Mode() != os.ModeDir|0o700 || len(dir) > maxScratch {
				t.Errorf("%q has mode %v", dir, st.Mode())
			}
			must(t, os.WriteFile(dir+"/socket", nil, 0o600))
			must(t, remove())
			if _, err := os.Lstat(dir); !os.IsNotExist(err) {
				t.Errorf("after remove: %v", err)
			}

			left := killedHostsScratch(t, r)
			if n, _ := r.Sweep(Budget{1000, 10_000}); n < 1 {
				t.Errorf("removed %d", n)
			}
			if _, err := os.Lstat(left); !os.IsNotExist(err) {
				t.Errorf("%q after the sweep: %v", left, err)
			}
		})
	}
}

// killedHostsScratch returns what Scratch made when the lock has gone with its process.
func killedHostsScratch(t *testing.T, r *Root) string {
	dir, remove, err := r.Scratch()
	must(t, err)
	must(t, remove())
	must(t, os.Mkdir(dir, 0o700))
	t.Cleanup(func() { unix.Rmdir(dir) })
	return dir
}

// die leaves what the death of d's process would.
func die(t *testing.T, d *Dir) {
	t.Helper()
	must(t, d.WriteRecord(deadRecord(t, d.ID())))
	d.Close()
}

func mkdir(t *testing.T, r *Root, name string) {
	t.Helper()
	must(t, os.MkdirAll(filepath.Join(r.Path(), name), 0o700))
}
