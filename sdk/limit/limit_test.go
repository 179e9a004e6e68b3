package limit

import (
	"context"
	"errors"
	"testing"
	"testing/synctest"
	"time"
)

// under runs a test by a clock that stands still while anybody works: no test here depends on the machine.
func under(t *testing.T, load func() float64, test func(t *testing.T, ctx context.Context)) {
	t.Helper()
	synctest.Test(t, func(t *testing.T) { test(t, WithLoad(t.Context(), load)) })
}

func constant(load float64) func() float64 { return func() float64 { return load } }

func TestLimitGrowsWithTheLoad(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		load float64
		want time.Duration
		text string
	}{
		{0, 5 * time.Second, "no plan within 5s"},
		{0.9, 5 * time.Second, "no plan within 5s"},
		{2, 10 * time.Second, "no plan within 5s, made 10s by the node's load of 2.0 per core"},
		{25, 125 * time.Second, "no plan within 5s, made 2m5s by the node's load of 25.0 per core"},
		{1000, Most * 5 * time.Second, "no plan within 5s, made 2m40s by the node's load of 32.0 per core"},
	} {
		under(t, constant(test.load), func(t *testing.T, ctx context.Context) {
			begin := time.Now()
			ctx, cancel := WithTimeout(ctx, 5*time.Second, "no plan")
			defer cancel()
			<-ctx.Done()
			if took := time.Since(begin); took != test.want {
				t.Errorf("load %v: ended after %v, want %v", test.load, took, test.want)
			}
			if err := context.Cause(ctx); !errors.Is(err, context.DeadlineExceeded) || err.Error() != test.text || ctx.Err() != context.DeadlineExceeded {
				t.Errorf("load %v: %v, cause %v", test.load, ctx.Err(), err)
			}
		})
	}
}

// The greatest load counts: what was late because of it is not counted as hanging when it falls.
func TestLoadThatChanges(t *testing.T) {
	t.Parallel()
	loads := []float64{2, 6, 1}
	looks := 0
	under(t, func() float64 { looks++; return loads[min(looks, len(loads))-1] }, func(t *testing.T, ctx context.Context) {
		begin := time.Now()
		ctx, cancel := WithTimeout(ctx, time.Second, "not done")
		defer cancel()
		<-ctx.Done()
		if took := time.Since(begin); took != 6*time.Second || looks != 3 {
			t.Errorf("ended after %v and %d looks", took, looks)
		}
	})
}

func TestNothingIsAskedInTime(t *testing.T) {
	t.Parallel()
	under(t, func() float64 { t.Error("asked for the load"); return 1 }, func(t *testing.T, ctx context.Context) {
		ctx, cancel := WithTimeout(ctx, time.Second, "not done")
		time.Sleep(time.Second - 1)
		cancel()
		<-ctx.Done()
		time.Sleep(time.Hour)
		if ctx.Err() != context.Canceled || context.Cause(ctx) != context.Canceled || Cause(ctx) != nil {
			t.Errorf("%v, cause %v", ctx.Err(), context.Cause(ctx))
		}
	})
}

// What is made of the context, as gRPC and os/exec do, learns the same.
func TestContextsBelow(t *testing.T) {
	t.Parallel()
	under(t, constant(3), func(t *testing.T, ctx context.Context) {
		ctx, cancel := WithTimeout(ctx, time.Second, "not done")
		defer cancel()
		below, cancelBelow := context.WithCancel(ctx)
		defer cancelBelow()
		<-below.Done()
		if below.Err() != context.DeadlineExceeded || Cause(below) == nil || Cause(below).Load != 3 {
			t.Errorf("%v, cause %v", below.Err(), context.Cause(below))
		}
	})
}

func TestParentEndsFirst(t *testing.T) {
	t.Parallel()
	why := errors.New("interrupted by SIGTERM")
	under(t, constant(1), func(t *testing.T, ctx context.Context) {
		parent, end := context.WithCancelCause(ctx)
		ctx, cancel := WithTimeout(parent, time.Second, "not done")
		defer cancel()
		end(why)
		<-ctx.Done()
		if ctx.Err() != context.Canceled || context.Cause(ctx) != why {
			t.Errorf("%v, cause %v", ctx.Err(), context.Cause(ctx))
		}
		if _, set := ctx.Deadline(); set {
			t.Error("has a deadline")
		}
	})
	under(t, constant(1), func(t *testing.T, ctx context.Context) {
		hard, cancelHard := context.WithTimeout(ctx, time.Second)
		defer cancelHard()
		ctx, cancel := WithTimeout(hard, time.Minute, "not done")
		defer cancel()
		<-ctx.Done()
		if end, set := ctx.Deadline(); ctx.Err() != context.DeadlineExceeded || !set || end.After(time.Now()) {
			t.Errorf("%v, deadline %v", ctx.Err(), end)
		}
	})
}

// A limit that another process applies from what Of says ends when this one does, whatever the load.
func TestOf(t *testing.T) {
	t.Parallel()
	if left, limited := Of(t.Context()); limited {
		t.Errorf("%v of no limit", left)
	}
	under(t, constant(4), func(t *testing.T, ctx context.Context) {
		begin := time.Now()
		here, cancel := WithTimeout(ctx, time.Second, "not done")
		defer cancel()
		time.Sleep(2 * time.Second) // the limit has been stretched by now
		left, limited := Of(here)
		if left != 500*time.Millisecond || !limited {
			t.Fatalf("%v left, %v", left, limited)
		}
		there, cancel := WithTimeout(ctx, left, "not done")
		defer cancel()
		<-there.Done()
		if took := time.Since(begin); took != 4*time.Second {
			t.Errorf("there it ended after %v", took)
		}
	})
}

func TestSooner(t *testing.T) {
	t.Parallel()
	for spare, want := range map[time.Duration]time.Duration{300 * time.Millisecond: 3 * 1700 * time.Millisecond, time.Minute: 3 * time.Second} {
		under(t, constant(3), func(t *testing.T, ctx context.Context) {
			begin := time.Now()
			ctx, cancel := WithTimeout(ctx, 2*time.Second, "no answer")
			defer cancel()
			sooner, cancel := Sooner(ctx, spare, "not done")
			defer cancel()
			<-sooner.Done()
			if took := time.Since(begin); took != want || ctx.Err() != nil {
				t.Errorf("ended after %v, want %v", took, want)
			}
		})
	}
	unlimited, cancel := Sooner(t.Context(), time.Second, "not done")
	defer cancel()
	if _, limited := Of(unlimited); limited {
		t.Error("a limit out of nothing")
	}
}

func TestPerCore(t *testing.T) {
	t.Parallel()
	for _, test := range []struct {
		text  string
		cores int
		want  float64
	}{
		{"0.20 0.18 0.12 1/80 11206\n", 2, 0.5},
		{"50.00 30.00 9.00 1/800 11206\n", 2, 25}, // they wait for a disk
		{"0.20 0.18 0.12 128/800 11206\n", 64, 2}, // a storm that has just begun
		{"", 2, 1}, {"garbage", 2, 1}, {"a b c d/e 1", 2, 1}, {"1 1 1 1/1 1", 0, 1},
	} {
		if got := perCore(test.text, test.cores); got != test.want {
			t.Errorf("%q on %d cores: %v, want %v", test.text, test.cores, got, test.want)
		}
	}
	if load := loadOf(t.Context()); load <= 0 {
		t.Errorf("this node's load is %v", load)
	}
}
