package wire

import (
	"context"
	"errors"
	"testing"
	"time"

	"google.golang.org/grpc/metadata"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// patient is a driver that keeps the limits of its calls. Where asked is set a call ends with its context.
type patient struct {
	recorder
	limits []time.Duration
	asked  chan bool
	ended  chan error
}

func (p *patient) note(ctx context.Context) error {
	left, _ := limit.Of(ctx)
	p.limits = append(p.limits, left)
	if _, fixed := ctx.Deadline(); fixed {
		return errors.New("the call has a fixed deadline")
	}
	if p.asked != nil {
		p.asked <- true
		<-ctx.Done()
		p.ended <- context.Cause(ctx)
	}
	return ctx.Err()
}

func (p *patient) Start(ctx context.Context, _ *sdk.Container) error { return p.note(ctx) }

func (p *patient) Prepare(ctx context.Context, _ *sdk.Container, _ func(sdk.Progress)) error {
	return p.note(ctx)
}

// A driver learns the limit of a call, and not a deadline that the node's load would make too short.
func TestLimitArrives(t *testing.T) {
	d := &patient{}
	c := connect(t, d, "")
	ctx, cancel := limit.WithTimeout(t.Context(), time.Hour, "not done")
	defer cancel()
	step := &sdk.Container{ID: "c", Step: &sdk.Step{Dir: "/s"}}
	if err := errors.Join(c.Start(ctx, step), c.Prepare(ctx, step, func(sdk.Progress) {}), c.Start(t.Context(), step)); err != nil {
		t.Fatal(err)
	}
	if len(d.limits) != 3 || d.limits[0] <= 0 || d.limits[0] > time.Hour || d.limits[1] <= 0 || d.limits[1] > time.Hour || d.limits[2] != 0 {
		t.Errorf("limits %v", d.limits)
	}
}

// When the host gives a call up the driver hears of it, whatever its own limit is.
func TestCallGivenUp(t *testing.T) {
	for name, ask := range map[string]func(context.Context, *Client) error{
		"call": func(ctx context.Context, c *Client) error { return c.Start(ctx, &sdk.Container{ID: "c"}) },
		"stream": func(ctx context.Context, c *Client) error {
			return c.Prepare(ctx, &sdk.Container{ID: "c", Step: &sdk.Step{Dir: "/s"}}, func(sdk.Progress) {})
		},
	} {
		t.Run(name, func(t *testing.T) {
			d := &patient{asked: make(chan bool, 1), ended: make(chan error, 1)}
			c := connect(t, d, "")
			limited, cancel := limit.WithTimeout(t.Context(), time.Hour, "not done")
			defer cancel()
			ctx, giveUp := context.WithCancel(limited)
			done := make(chan error, 1)
			go func() { done <- ask(ctx, c) }()
			await.Closed(t, "the driver is asked", d.asked)
			giveUp()
			if err := await.Closed(t, "the end of the driver's call", d.ended); !errors.Is(err, context.Canceled) {
				t.Errorf("the driver's call ended with %v", err)
			}
			if err := await.Closed(t, "the end of the call", done); err == nil {
				t.Error("no error")
			}
		})
	}
}

func TestLimitsThatAreNone(t *testing.T) {
	for _, text := range []string{"", "x", "-1", "0", "1e3", "9223372036854775807", "99999999999999999999"} {
		ctx, cancel := fromLimit(metadata.NewIncomingContext(t.Context(), metadata.Pairs(limitName, text)))
		if left, is := limit.Of(ctx); is {
			t.Errorf("%q is taken for %v", text, left)
		}
		cancel()
	}
}
