package drivertest

import (
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/debug"
	"time"

	"github.com/berth-hpc/berth/sdk/client"
	"github.com/berth-hpc/berth/sdk/limit"
)

// trial is one case while it runs.
type trial struct {
	*kit
	ctx        context.Context // until the case is given up; then until its clean-up is
	dir        string          // the case's own
	result     Result
	cleanup    []func()
	containers []*container
	open       *client.Driver // what answers all calls for now, see together
}

// stop ends a trial's goroutine early, as testing.T does, without a message of its own.
func (t *trial) stop() { runtime.Goexit() }

// Errorf reports a fault and goes on.
func (t *trial) Errorf(format string, args ...any) {
	t.result.Faults = append(t.result.Faults, fmt.Sprintf(format, args...))
}

// Fatalf reports a fault and ends the case.
func (t *trial) Fatalf(format string, args ...any) {
	t.Errorf(format, args...)
	t.stop()
}

// must ends the case where the kit itself could not do something.
func (t *trial) must(err error) {
	if err != nil {
		t.Fatalf("%v", err)
	}
}

// Notef reports something worth knowing that is no fault.
func (t *trial) Notef(format string, args ...any) {
	t.result.Notes = append(t.result.Notes, fmt.Sprintf(format, args...))
}

// Lacks reports that the driver cannot do it and says so properly, and ends the case.
func (t *trial) Lacks(format string, args ...any) {
	t.result.Lacks = append(t.result.Lacks, fmt.Sprintf(format, args...))
	t.stop()
}

// Skipf says what is missing on this machine, and ends the case.
func (t *trial) Skipf(format string, args ...any) {
	t.result.Skipped = fmt.Sprintf(format, args...)
	t.stop()
}

// Cleanup has f called when the case is over, last in first out.
func (t *trial) Cleanup(f func()) { t.cleanup = append(t.cleanup, f) }

// try runs one case to its end.
func (k *kit) try(ctx context.Context, c Case, n int) Result {
	began, used := time.Now(), processorTime()
	limited, cancel := limit.WithTimeout(ctx, k.cfg.Timeout, "not over")
	defer cancel()
	t := &trial{kit: k, ctx: limited, dir: filepath.Join(k.dir, fmt.Sprintf("c%d", n)), result: Result{Case: c}}
	if err := os.Mkdir(t.dir, 0o700); err != nil {
		t.Errorf("%v", err)
		return t.result
	}
	t.step(func() { c.run(t) })
	if limited.Err() != nil {
		t.Errorf("given up after %v", time.Since(began).Round(time.Second))
	}
	t.ctx, cancel = limit.WithTimeout(context.WithoutCancel(ctx), k.cfg.Timeout, "not removed")
	defer cancel()
	t.step(t.remove)
	for i := len(t.cleanup) - 1; i >= 0; i-- {
		t.step(t.cleanup[i])
	}
	t.result.Took, t.result.CPU = time.Since(began), processorTime()-used
	return t.result
}

// step runs f in a goroutine of its own, which f may end early.
func (t *trial) step(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		defer func() {
			if r := recover(); r != nil {
				t.Errorf("the kit itself: %v\n%s", r, debug.Stack())
			}
		}()
		f()
	}()
	<-done
}
