package state

import (
	"testing"
)

// What a task pays: finding the place, scratch, record, container, a small sweep.
func BenchmarkTask(b *testing.B) {
	p := place(b)
	for b.Loop() {
		r, err := Open(p)
		must(b, err)
		_, remove, err := r.Scratch()
		must(b, err)
		d, err := r.Create(record(b, "x"))
		must(b, err)
		_, err = d.RuntimeRoot()
		must(b, err)
		rec, err := d.Record()
		must(b, err)
		must(b, d.WriteRecord(rec))
		must(b, remove())
		must(b, d.Remove())
		d.Close()
		r.Close()
	}
}

func BenchmarkSweepOfTheLiving(b *testing.B) {
	r := open(b, place(b))
	for _, id := range []string{"a", "b", "c", "d", "e", "f", "g", "h"} {
		create(b, r, id).Close()
	}
	for b.Loop() {
		if n, err := r.Sweep(Budget{8, 10_000}); n != 0 || err != nil {
			b.Fatal(n, err)
		}
	}
}
