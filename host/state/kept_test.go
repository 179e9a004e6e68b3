package state

import (
	"errors"
	"os"
	"os/exec"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

// TestKept: what somebody will delete is not swept, and an ID that an anchor created is taken until it
// is deleted.
func TestKept(t *testing.T) {
	for _, operation := range []string{"run", ByAnchor} {
		t.Run(operation, func(t *testing.T) {
			r := open(t, place(t))
			rec := record(t, "kept")
			rec.Operation, rec.Kept = operation, true
			rec.StartTime++ // of no process that there is
			d, err := r.Create(rec)
			if err != nil {
				t.Fatal(err)
			}
			if err := d.WriteRecord(rec); err != nil {
				t.Fatal(err)
			}
			d.Close()
			if n, err := r.Sweep(Budget{100, 10_000}); n != 0 || err != nil {
				t.Errorf("swept %d, %v", n, err)
			}
			again, err := r.Create(rec)
			if taken := errors.Is(err, sdk.ErrExists); taken != (operation == ByAnchor) {
				t.Errorf("creating it again: %v", err)
			}
			if err == nil {
				again.Close()
			}
		})
	}
}

// TestAbandoned: a keeper that has ended keeps nothing, and one that lives, or of which nothing is known,
// does.
func TestAbandoned(t *testing.T) {
	ended := exec.Command("sleep", "1000")
	if err := ended.Start(); err != nil {
		t.Fatal(err)
	}
	for name, keep := range map[string]func(*Record){
		"ended":   func(rec *Record) { rec.KeptBy(ended.Process.Pid) },
		"alive":   func(rec *Record) { rec.KeptBy(os.Getpid()) },
		"unknown": func(rec *Record) { rec.Kept = true },
		"another": func(rec *Record) { rec.KeptBy(os.Getpid()); rec.KeeperStartTime++ }, // its pid was used again
	} {
		r := open(t, place(t))
		rec := record(t, "kept")
		rec.StartTime++ // of no process that there is
		keep(&rec)
		if name == "ended" {
			_ = ended.Process.Kill()
			_ = ended.Wait()
		}
		d, err := r.Create(rec)
		if err != nil {
			t.Fatal(err)
		}
		if err := d.WriteRecord(rec); err != nil {
			t.Fatal(err)
		}
		d.Close()
		want := name == "ended" || name == "another"
		if rec.Abandoned() != want {
			t.Errorf("%s: abandoned: %v", name, !want)
		}
		if n, err := r.Sweep(Budget{100, 10_000}); err != nil || (n == 1) != want {
			t.Errorf("%s: swept %d, %v", name, n, err)
		}
	}
}
