package state

import (
	"os"
	"path/filepath"
	"strconv"
	"testing"
)

// place returns a System for this test alone.
func place(t testing.TB) Place {
	t.Helper()
	system := filepath.Join(t.TempDir(), "berth")
	must(t, os.Mkdir(system, 0o700))
	return Place{System: system, UID: os.Geteuid()}
}

func open(t testing.TB, p Place) *Root {
	t.Helper()
	r, err := Open(p)
	must(t, err)
	t.Cleanup(r.Close)
	return r
}

// record returns a record of this process.
func record(t testing.TB, id string) Record {
	t.Helper()
	rec, err := NewRecord(os.Getpid())
	must(t, err)
	rec.ID, rec.Driver, rec.Bundle, rec.Operation = id, "crun", "/bundle", "run"
	return rec
}

func create(t testing.TB, r *Root, id string) *Dir {
	t.Helper()
	d, err := r.Create(record(t, id))
	must(t, err)
	t.Cleanup(d.Close)
	return d
}

func list(t testing.TB, dir string) []string {
	t.Helper()
	entries, err := os.ReadDir(dir)
	must(t, err)
	var names []string
	for _, e := range entries {
		names = append(names, e.Name())
	}
	return names
}

func uidName() string { return strconv.Itoa(os.Geteuid()) }

func needRoot(t testing.TB, why string) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("needs root: " + why)
	}
}

func must(t testing.TB, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}
