package limit

import (
	"context"
	"errors"
	"fmt"
	"time"
)

// Exceeded says that a limit has passed. It is a context.DeadlineExceeded.
type Exceeded struct {
	What  string        // what was not done: "no plan"
	Limit time.Duration // as it was set
	Load  float64       // the load per core that has made it longer; 1: none
}

// Error implements error: "no plan within 5s", or on a busy node "no plan within 5s, made 1m2s by the node's
// load of 12.4 per core".
func (e *Exceeded) Error() string { return e.What + " " + e.Within() }

// Within is the end of such a message, for one that begins in another way.
func (e *Exceeded) Within() string {
	if e.Load <= 1 {
		return fmt.Sprintf("within %v", e.Limit)
	}
	made := time.Duration(e.Load * float64(e.Limit)).Round(e.Limit / 100)
	return fmt.Sprintf("within %v, made %v by the node's load of %.1f per core", e.Limit, made, e.Load)
}

// Is says that it is a context.DeadlineExceeded.
func (e *Exceeded) Is(target error) bool { return target == context.DeadlineExceeded }

// Timeout says that it is one, for those who ask as package net does.
func (e *Exceeded) Timeout() bool { return true }

// Cause returns why ctx is over, if that is a limit of WithTimeout, or nil.
func Cause(ctx context.Context) *Exceeded {
	var e *Exceeded
	errors.As(context.Cause(ctx), &e)
	return e
}
