package drivertest

import (
	"context"
	"os"

	"github.com/berth-hpc/berth/sdk/client"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
)

// remove ends and deletes the case's containers, and reports what is left of them.
func (t *trial) remove() {
	for _, c := range t.containers {
		for _, task := range c.tasks {
			task.end()
		}
	}
	t.deleteAll()
	t.releaseAll()
	t.reportLeftovers()
	for _, c := range t.containers {
		for _, task := range c.tasks {
			task.close()
		}
	}
}

func (t *trial) deleteAll() {
	var used []*container
	for _, c := range t.containers {
		if len(c.tasks) > 0 {
			used = append(used, c)
		}
	}
	if !t.can("lifecycle") || len(used) == 0 {
		return
	}
	t.byCleaner(func() {
		for _, c := range used {
			if err := c.delete(true); err != nil {
				t.Errorf("deleting with force at the end: %v", err)
			}
		}
	})
}

// releaseAll has the driver undo what it prepared for the containers, twice as after a crash.
func (t *trial) releaseAll() {
	if !t.can("prepare") || len(t.containers) == 0 {
		return
	}
	for range 2 {
		t.byCleaner(func() {
			for _, c := range t.containers {
				err := c.ask(func(ctx context.Context, d *client.Driver) error { return d.Release(ctx, launcher.Step(c.shared())) })
				if err != nil {
					t.Errorf("releasing at the end: %v", err)
				}
			}
		})
	}
	for _, c := range t.containers {
		if left, err := os.ReadDir(c.shared()); err != nil || len(left) > 0 {
			t.Errorf("left in the step's directory by Release: %v, %v", left, err)
		}
	}
}

// byCleaner has the calls of f answered by the driver that cleans up after every case. It is started once:
// that a new one can do the same is what the cases prove.
func (t *trial) byCleaner(f func()) {
	faults := len(t.result.Faults)
	if t.cleaner == nil {
		scratch, err := os.MkdirTemp(t.kit.dir, "cleaner")
		t.must(err)
		d, err := t.start(t.ctx, nil, scratch)
		if err != nil {
			t.Fatalf("starting the driver: %v", err)
		}
		t.cleaner = d
	}
	t.open = t.cleaner
	defer func() {
		t.open = nil
		if len(t.result.Faults) > faults { // it may have died of it
			t.endCleaner()
		}
	}()
	f()
}

func (k *kit) endCleaner() {
	if k.cleaner != nil {
		k.cleaner.Close()
	}
	k.cleaner = nil
}
