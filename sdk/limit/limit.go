// Package limit bounds waits by a time that grows with the node's load. Such a limit is there to catch
// what hangs: it does not fire merely because the node is busy.
//
// A limit of 5 s is 5 s on a node whose cores suffice for what wants to run. When it has passed, the
// node is asked for its load per core; the wait goes on until 5 s times that have passed, and never
// beyond Most times 5 s. Until then nothing is asked: a call that ends in time pays for a timer.
package limit

import (
	"context"
	"errors"
	"sync"
	"time"
)

// Most is how many times longer than its limit a wait may become.
const Most = 32

// WithTimeout is context.WithTimeout with a limit that grows with the node's load. Once it is over, Err is
// context.DeadlineExceeded, and context.Cause an *Exceeded that begins with what: "no plan within 5s".
// Deadline is the parent's: when the context's own time is over is not known beforehand.
func WithTimeout(parent context.Context, limit time.Duration, what string) (context.Context, context.CancelFunc) {
	inner, cancel := context.WithCancelCause(parent)
	w := &wait{Context: inner, cancel: cancel, done: make(chan struct{}), limit: limit, what: what, begin: time.Now(), factor: 1}
	context.AfterFunc(inner, func() { close(w.done) })
	w.mu.Lock()
	w.timer = time.AfterFunc(limit, w.look)
	w.mu.Unlock()
	return w, func() {
		w.timer.Stop()
		cancel(nil)
	}
}

// wait is the context that WithTimeout returns. Its Done is a channel of its own, so that the contexts
// below it learn from its Err why it is over: the inner context's would be context.Canceled.
type wait struct {
	context.Context
	cancel context.CancelCauseFunc
	done   chan struct{} // closed once Context is over
	limit  time.Duration
	what   string
	begin  time.Time

	mu     sync.Mutex
	timer  *time.Timer
	factor float64 // the greatest load per core that was seen, within [1, Most]
}

// look ends the wait, unless the node's load makes it longer.
func (w *wait) look() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.factor = min(max(w.factor, loadOf(w.Context)), Most)
	waited := time.Since(w.begin)
	if rest := time.Duration(w.factor*float64(w.limit)) - waited; rest > 0 {
		w.timer.Reset(rest)
		return
	}
	w.cancel(&Exceeded{What: w.what, Limit: w.limit, Load: w.factor})
}

// Done implements context.Context.
func (w *wait) Done() <-chan struct{} { return w.done }

// Err implements context.Context.
func (w *wait) Err() error {
	select {
	case <-w.done:
	default:
		return nil
	}
	if errors.Is(context.Cause(w.Context), context.DeadlineExceeded) {
		return context.DeadlineExceeded
	}
	return context.Canceled
}

type waitKey struct{}

// Value implements context.Context.
func (w *wait) Value(key any) any {
	if key == (waitKey{}) {
		return w
	}
	return w.Context.Value(key)
}

// rest is what is left of the limit: the load that has made the wait longer is taken out again.
func (w *wait) rest() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.limit - time.Duration(float64(time.Since(w.begin))/w.factor)
}

// Of returns how much is left of the limit that ctx got from WithTimeout, before any load makes that
// longer; false where it got none. It is how a limit reaches another process of the node, which applies
// the load by itself.
func Of(ctx context.Context) (time.Duration, bool) {
	w, ok := ctx.Value(waitKey{}).(*wait)
	if !ok {
		return 0, false
	}
	return max(w.rest(), time.Millisecond), true
}

// Sooner returns a context that is over a little before ctx is, by spare or by half of what is left if
// that is less, so that there is time for an answer. Where ctx has no limit it has none.
func Sooner(ctx context.Context, spare time.Duration, what string) (context.Context, context.CancelFunc) {
	left, limited := Of(ctx)
	if !limited {
		return context.WithCancel(ctx)
	}
	return WithTimeout(ctx, max(left-spare, left/2), what)
}
