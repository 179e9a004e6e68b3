package state

import (
	"errors"
	"fmt"
	"hash/crc32"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
	"github.com/google/go-cmp/cmp"
	"golang.org/x/sys/unix"
)

// A record that is damaged anywhere is never believed, and its container never taken for dead.
func TestDamagedRecord(t *testing.T) {
	d := create(t, open(t, place(t)), "x")
	path := filepath.Join(d.Path(), recordFile)
	good, err := os.ReadFile(path)
	must(t, err)
	damaged := func(what string, data []byte) {
		t.Helper()
		must(t, os.WriteFile(path, data, 0o600))
		_, err := d.Record()
		var corrupt *CorruptError
		if !errors.As(err, &corrupt) || corrupt.Path != path || !errors.Is(err, sdk.ErrState) || !strings.Contains(err.Error(), path) {
			t.Errorf("%s: %v, want a CorruptError of %q", what, err, path)
		}
		if dead, err := d.Dead(); dead || err == nil {
			t.Errorf("%s: dead %v, %v", what, dead, err)
		}
	}
	for n := range good {
		damaged("truncated", good[:n])
	}
	for i := range good {
		bad := append([]byte(nil), good...)
		bad[i] ^= 0x10
		damaged("flipped bit", bad)
	}
	damaged("trailing data", append(append([]byte(nil), good...), 'x'))
	damaged("huge", []byte(strings.Repeat("x", maxRecord+1)))

	rec, err := decode(good)
	must(t, err)
	forged := map[string]func(*Record){
		"other ID":  func(r *Record) { r.ID = "y" },
		"other uid": func(r *Record) { r.UID++ },
	}
	for what, forge := range forged {
		bad := rec
		forge(&bad)
		data, err := encode(bad)
		must(t, err)
		damaged(what, data)
	}
	for what, line := range map[string]string{
		"newer version": `{"version":2,"something":"new"}`,
		"no version":    `{"id":"x"}`,
		"unknown field": strings.Replace(string(good[:strings.IndexByte(string(good), '\n')]), `"driver"`, `"drivers"`, 1),
		"null":          `null`,
		"no process":    `{"version":1,"id":"x"}`,
		"two documents": string(good[:strings.IndexByte(string(good), '\n')]) + "{}",
	} {
		damaged(what, seal(line))
	}

	for what, instead := range map[string]func() error{
		"symlink":   func() error { return os.Symlink("/etc/passwd", path) },
		"directory": func() error { return os.Mkdir(path, 0o700) },
		"fifo":      func() error { return unix.Mkfifo(path, 0o600) },
	} {
		must(t, os.Remove(path))
		must(t, instead())
		if _, err := d.Record(); !errors.Is(err, sdk.ErrState) {
			t.Errorf("%s: %v, want ErrState", what, err)
		}
	}
	must(t, os.Remove(path))
	if _, err := d.Record(); !errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("no record: %v, want ErrNotFound", err)
	}
}

func TestRecordsThatAreNotWritten(t *testing.T) {
	d := create(t, open(t, place(t)), "x")
	before, err := d.Record()
	must(t, err)
	for name, spoil := range map[string]func(*Record){
		"no pid":       func(r *Record) { r.Pid = 0 },
		"negative pid": func(r *Record) { r.Pid = -1 },
		"no boot":      func(r *Record) { r.BootID = "" },
		"not UTF-8":    func(r *Record) { r.Bundle = "/\xff" },
		"huge":         func(r *Record) { r.Bundle = strings.Repeat("x", maxRecord) },
	} {
		rec := before
		spoil(&rec)
		if err := d.WriteRecord(rec); !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%s: %v, want ErrInvalid", name, err)
		}
	}
	after, err := d.Record()
	must(t, err)
	if diff := cmp.Diff(before, after); diff != "" {
		t.Errorf("record changed:\n%s", diff)
	}
}

func FuzzRecord(f *testing.F) {
	good, err := encode(record(f, "x"))
	must(f, err)
	f.Add(string(good[:strings.IndexByte(string(good), '\n')]))
	f.Add(`{"version":1,"id":"x","pid":1,"bootId":"b","pidNamespace":1,"created":"0001-01-01T00:00:00Z"}`)
	f.Add(`{"version":1e0,"Version":1}`)
	f.Add("")
	f.Fuzz(func(t *testing.T, line string) {
		if _, err := decode([]byte(line)); err == nil && !strings.Contains(line, "crc32") {
			t.Fatal("a record without a checksum was believed")
		}
		rec, err := decode(seal(line))
		if err != nil {
			return
		}
		data, err := encode(rec)
		if err != nil {
			t.Fatalf("%+v was read but cannot be written: %v", rec, err)
		}
		again, err := decode(data)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(rec, again); diff != "" {
			t.Fatalf("written and read again:\n%s", diff)
		}
	})
}

// seal adds the checksum that makes line a record file.
func seal(line string) []byte {
	data := []byte(line + "\n")
	return fmt.Appendf(data, sumFormat, crc32.ChecksumIEEE(data))
}
