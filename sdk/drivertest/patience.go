package drivertest

import (
	"context"
	"os"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// The pauses between two looks at what is waited for: short at the beginning, for what is about to
// happen, and longer for what takes time, so that waiting costs next to nothing.
const (
	firstPause   = time.Millisecond
	longestPause = 50 * time.Millisecond
)

// patience is a context that ends after limit, and on a busy machine later: as many times later as there
// are processes that want each of its cores. It catches what hangs, and decides nothing else.
func patience(parent context.Context, limit time.Duration) (context.Context, context.CancelFunc) {
	ctx, cancel := context.WithCancelCause(parent)
	began := time.Now()
	go func() {
		for left := limit; left > 0; left = time.Duration(float64(limit)*load()) - time.Since(began) {
			timer := time.NewTimer(left)
			select {
			case <-ctx.Done():
				timer.Stop()
				return
			case <-timer.C:
			}
		}
		cancel(context.DeadlineExceeded)
	}()
	return ctx, func() { cancel(nil) }
}

// load is how many processes want each core (proc_loadavg(5)), and at least 1.
func load() float64 {
	text, _ := os.ReadFile("/proc/loadavg")
	first, _, _ := strings.Cut(string(text), " ")
	processes, _ := strconv.ParseFloat(first, 64) // 0 where there is no /proc
	return max(1, processes/float64(runtime.NumCPU()))
}

// until waits for ok, and says whether it came to hold before the case was given up.
func (t *trial) until(ok func() bool) bool {
	for pause := firstPause; ; pause = min(pause+pause/2, longestPause) {
		if ok() {
			return true
		}
		select {
		case <-t.ctx.Done():
			return ok()
		case <-time.After(pause):
		}
	}
}

// eventually waits for ok, and reports what did not come to hold.
func (t *trial) eventually(what string, ok func() bool) bool {
	if t.until(ok) {
		return true
	}
	t.Errorf("waited in vain: %s", what)
	return false
}

// limited is a file or a socket whose reads and writes take deadlines.
type limited interface{ SetDeadline(time.Time) error }

// untilGivenUp ends reads and writes that still wait when the case is given up.
func (t *trial) untilGivenUp(f limited) {
	stop := context.AfterFunc(t.ctx, func() { _ = f.SetDeadline(time.Unix(1, 0)) })
	t.Cleanup(func() { stop() })
}
