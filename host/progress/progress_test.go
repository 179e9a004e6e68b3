package progress

import (
	"strings"
	"testing"
	"time"

	"github.com/berth-hpc/berth/sdk"
)

// clock is a time that passes as a test wants it.
type clock struct{ at time.Time }

func (c *clock) now() time.Time       { return c.at }
func (c *clock) pass(d time.Duration) { c.at = c.at.Add(d) }
func begin() *clock                   { return &clock{at: time.Unix(1_000_000, 0)} }
func importing(done int64) sdk.Progress {
	return sdk.Progress{Text: "importing image", Done: done, Total: 10 << 20}
}

func TestLines(t *testing.T) {
	c := begin()
	var out strings.Builder
	d := newDisplay(&out, false, c.now)
	for i := range int64(11) {
		d.report(importing(i << 20))
		c.pass(time.Second)
	}
	d.done()
	want := "berth: importing image 5.0 MiB of 10.0 MiB, 1.0 MiB/s\nberth: importing image 10.0 MiB of 10.0 MiB, 1.0 MiB/s\n"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestShortWorkIsSilent(t *testing.T) {
	c := begin()
	var out strings.Builder
	d := newDisplay(&out, false, c.now)
	d.report(importing(1))
	c.pass(lineEvery - 1)
	d.report(importing(2))
	d.done()
	if out.String() != "" {
		t.Errorf("got %q", out.String())
	}
}

func TestBar(t *testing.T) {
	c := begin()
	var out strings.Builder
	d := newDisplay(&out, true, c.now)
	c.pass(barEvery)
	d.report(importing(0))
	c.pass(2 * time.Second)
	d.report(importing(5 << 20))
	d.report(importing(6 << 20)) // too soon
	d.report(importing(10 << 20))
	d.done()
	want := "\r\x1b[Kimporting image [                        ] 0 B of 10.0 MiB" +
		"\r\x1b[Kimporting image [============            ] 5.0 MiB of 10.0 MiB, 2.5 MiB/s" +
		"\r\x1b[Kimporting image [========================] 10.0 MiB of 10.0 MiB, 5.0 MiB/s" +
		"\r\x1b[K"
	if out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}

func TestUnknownTotalAndHostileText(t *testing.T) {
	c := begin()
	var out strings.Builder
	d := newDisplay(&out, false, c.now)
	c.pass(lineEvery)
	d.report(sdk.Progress{Text: "a\nb\x1b[31m", Done: 2000})
	c.pass(lineEvery)
	d.report(sdk.Progress{Text: "unpacking", Done: -5, Total: 7})
	if want := "berth: a b [31m 2.0 KiB\nberth: unpacking -5 B of 7 B\n"; out.String() != want {
		t.Errorf("got %q, want %q", out.String(), want)
	}
}
