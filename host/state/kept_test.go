package state

import (
	"errors"
	"testing"
	"time"

	"github.com/berth-hpc/berth/sdk"
)

// TestKept: what somebody will delete is not swept, and an ID that came from "create" is taken until it
// is deleted.
func TestKept(t *testing.T) {
	for _, operation := range []string{"run", "create"} {
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
			if n, err := r.Sweep(100, time.Now().Add(time.Minute)); n != 0 || err != nil {
				t.Errorf("swept %d, %v", n, err)
			}
			again, err := r.Create(rec)
			if taken := errors.Is(err, sdk.ErrExists); taken != (operation == "create") {
				t.Errorf("creating it again: %v", err)
			}
			if err == nil {
				again.Close()
			}
		})
	}
}
