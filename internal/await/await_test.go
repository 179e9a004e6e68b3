package await

import (
	"fmt"
	"testing"
	"time"
)

func TestPollAsksUntilItHolds(t *testing.T) {
	t.Parallel()
	asked := 0
	if !Poll(End(t), func() bool { asked++; return asked == 5 }) || asked != 5 {
		t.Errorf("asked %d times, want 5", asked)
	}
}

func TestPollAsksOnceAfterTheEnd(t *testing.T) {
	t.Parallel()
	asked := 0
	if Poll(time.Now().Add(-time.Hour), func() bool { asked++; return false }) || asked != 1 {
		t.Errorf("asked %d times, want once, and false", asked)
	}
}

// fake is a test that can look at its own failure, with a program's limit of its own.
type fake struct {
	testing.TB
	limit time.Time
}

func (f fake) Helper() {}

func (f fake) Fatalf(format string, args ...any) { panic(fmt.Sprintf(format, args...)) }

func (f fake) Deadline() (time.Time, bool) { return f.limit, true }

func TestEndIsBeforeTheProgramsOwn(t *testing.T) {
	t.Parallel()
	for _, left := range []time.Duration{time.Minute, time.Hour} {
		limit := time.Now().Add(left)
		if end := End(fake{t, limit}); !end.Before(limit) || !end.After(time.Now()) {
			t.Errorf("with %v left waits are given up %v before the end", left, limit.Sub(end))
		}
	}
}

func TestTrueSaysWhatWasWaitedFor(t *testing.T) {
	t.Parallel()
	defer func() {
		if said := recover(); said != "waited in vain: rain" {
			t.Errorf("said %v", said)
		}
	}()
	True(fake{t, time.Now().Add(-time.Hour)}, func() string { return "rain" }, func() bool { return false })
	t.Error("went on")
}

func TestClosedReturnsTheValue(t *testing.T) {
	t.Parallel()
	c := make(chan int, 1)
	c <- 7
	if got := Closed(t, "seven", c); got != 7 {
		t.Errorf("got %d", got)
	}
}
