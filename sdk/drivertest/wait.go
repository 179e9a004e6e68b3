package drivertest

import (
	"context"
	"time"
)

// The pauses between two looks at what is waited for: short at the beginning, for what is about to
// happen, and longer for what takes time, so that waiting costs next to nothing.
const (
	firstPause   = time.Millisecond
	longestPause = 50 * time.Millisecond
)

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
