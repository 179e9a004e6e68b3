package client

import (
	"context"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/limit"
)

// gateName is the variable that tells the hostile driver where it waits.
const gateName = "HOSTILE_GATE"

// gate is a FIFO at which a driver waits: what happens before and after has an order that no clock decides.
type gate string

func newGate(t *testing.T) gate {
	t.Helper()
	g := gate(filepath.Join(t.TempDir(), "gate"))
	if err := unix.Mkfifo(string(g), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { // whoever waits on either side goes on
		if fd, err := unix.Open(string(g), unix.O_RDWR|unix.O_NONBLOCK, 0); err == nil {
			unix.Close(fd)
		}
	})
	return g
}

func (g gate) env() string { return gateName + "=" + string(g) }

// reached returns once the driver is at the gate, and leaves it there.
func (g gate) reached() *os.File {
	f, _ := os.OpenFile(string(g), os.O_WRONLY, 0)
	return f
}

// open has the driver go on.
func (g gate) open() { g.reached().Close() }

// pass is the driver's side.
func pass() { _, _ = os.ReadFile(os.Getenv(gateName)) }

// idle is the context of a node that is not busy, whatever this one is.
func idle(ctx context.Context) context.Context {
	return limit.WithLoad(ctx, func() float64 { return 1 })
}

// busy is the context of a node that is so busy that the driver passes the gate only after its limit has passed.
// When the load is asked for, the gate opens; the answer comes when the test is done, so that no clock decides it.
func busy(t *testing.T, g gate) (ctx context.Context, done func()) {
	over := make(chan struct{})
	asked := false
	ctx = limit.WithLoad(t.Context(), func() float64 {
		if !asked {
			asked = true
			g.open()
		}
		<-over
		return 1
	})
	return ctx, func() { close(over) }
}

// A driver that is late because the node is busy is waited for.
func TestStartOnABusyNode(t *testing.T) {
	g := newGate(t)
	cfg := config(t, "gate")
	cfg.Env, cfg.StartTimeout = append(cfg.Env, g.env()), 1
	ctx, done := busy(t, g)
	defer done()
	d, err := Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	closed(t, d)
}

func TestCallOnABusyNode(t *testing.T) {
	for _, c := range calls() {
		t.Run(c.name, func(t *testing.T) {
			g := newGate(t)
			cfg := config(t, "late")
			cfg.Env = append(cfg.Env, g.env())
			d := start(t, cfg)
			busy, done := busy(t, g)
			defer done()
			ctx, cancel := limit.WithTimeout(busy, 1, "not done")
			defer cancel()
			if err := c.ask(ctx, d); err != nil {
				t.Error(err)
			}
		})
	}
}

// A driver whose connection ends some time before it does is still said to have ended, and how.
func TestLateDeath(t *testing.T) {
	g := newGate(t)
	cfg := config(t, "raw:late-death")
	cfg.Env = append(cfg.Env, g.env())
	ctx, done := busy(t, g)
	defer done()
	d, err := Start(ctx, cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer closed(t, d)
	_, err = d.Run(t.Context(), container())
	oneLine(t, err, "ended instead of answering Run (exit status 3)")
}
