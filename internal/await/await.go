// Package await lets tests wait for what happens beside them. A wait ends with what it waits for. Its
// only limit is that of the whole test program (go test -timeout), which is there to catch a hang: no
// test is decided by how fast the machine is.
package await

import (
	"context"
	"testing"
	"time"
)

const (
	// grace is what a wait that is given up leaves of the program's time: for its message and for
	// clean-ups, before the testing package ends everything with a traceback.
	grace = 30 * time.Second
	// without is the limit where the program has none, or where it is known to a *testing.T alone.
	without = 30 * time.Minute
	// first and longest are the pauses between two looks: short at the beginning, for what is about
	// to happen, and longer for what takes time, so that waiting costs next to nothing.
	first, longest = time.Millisecond, 50 * time.Millisecond
	// rare and rarest are those between two looks for which programs have to be started.
	rare, rarest = 20 * time.Millisecond, time.Second
)

// End is when waits of the test are given up.
func End(t testing.TB) time.Time {
	if d, ok := t.(interface{ Deadline() (time.Time, bool) }); ok {
		if end, ok := d.Deadline(); ok {
			return end.Add(-min(grace, time.Until(end)/4))
		}
	}
	return time.Now().Add(without)
}

// Context is for calls that end by themselves. It is cancelled at End, or when the test's clean-ups begin.
func Context(t testing.TB) context.Context {
	ctx, cancel := context.WithDeadline(t.Context(), End(t))
	t.Cleanup(cancel)
	return ctx
}

// Lasting is Context for calls in clean-ups, and for what is shared with other tests: the test's own end does
// not cancel it.
func Lasting(t testing.TB) (context.Context, context.CancelFunc) {
	return context.WithDeadline(context.WithoutCancel(t.Context()), End(t))
}

// True waits until holds says true, and ends the test where it never does. It is asked from the test's
// own goroutine; what tells the reader what was waited for, and is asked only then.
func True(t testing.TB, what func() string, holds func() bool) {
	t.Helper()
	if !Poll(End(t), holds) {
		t.Fatalf("waited in vain: %s", what())
	}
}

// Rarely is True for a question that costs a program or two: it is asked less and less often.
func Rarely(t testing.TB, what func() string, holds func() bool) {
	t.Helper()
	if !poll(End(t), rare, rarest, holds) {
		t.Fatalf("waited in vain: %s", what())
	}
}

// Poll asks holds until it says true or the end has come, and returns its last answer. It asks at
// least once.
func Poll(end time.Time, holds func() bool) bool { return poll(end, first, longest, holds) }

func poll(end time.Time, first, longest time.Duration, holds func() bool) bool {
	for pause := first; ; pause = min(pause+pause/2, longest) {
		if holds() {
			return true
		}
		if !time.Now().Before(end) {
			return false
		}
		time.Sleep(min(pause, max(time.Until(end), first)))
	}
}

// Closed waits until the channel is closed or gives a value, which it returns. what tells what was waited for.
func Closed[T any](t testing.TB, what string, c <-chan T) T {
	t.Helper()
	return Value(t, func() string { return what }, c)
}

// Value is Closed where what was waited for is known only when it was in vain.
func Value[T any](t testing.TB, what func() string, c <-chan T) (value T) {
	t.Helper()
	timer := time.NewTimer(time.Until(End(t)))
	defer timer.Stop()
	select {
	case value = <-c:
	case <-timer.C:
		t.Fatalf("waited in vain: %s", what())
	}
	return value
}
