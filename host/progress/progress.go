// Package progress shows a person how far a piece of work has come: a bar at a terminal, elsewhere a
// line every few seconds.
package progress

import (
	"fmt"
	"io"
	"os"
	"strings"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// How often something is written, at most.
const (
	barEvery  = 100 * time.Millisecond
	lineEvery = 5 * time.Second
)

// barWidth is the width of the bar itself, in characters.
const barWidth = 24

// Start begins to show work on f. report takes each step of it, from one goroutine or several; done
// ends it and removes the bar. Short work without a terminal writes nothing.
func Start(f *os.File) (report func(sdk.Progress), done func()) {
	_, err := unix.IoctlGetWinsize(int(f.Fd()), unix.TIOCGWINSZ)
	d := newDisplay(f, err == nil, time.Now)
	return d.report, d.done
}

type display struct {
	to  io.Writer
	bar bool
	now func() time.Time

	mu     sync.Mutex
	text   string    // of the work that began at start
	start  time.Time // rates are since then
	from   int64     // bytes done at start
	shown  time.Time // when something was written last, or work began
	drawn  bool      // a bar is on the terminal
	latest sdk.Progress
}

func newDisplay(to io.Writer, bar bool, now func() time.Time) *display {
	return &display{to: to, bar: bar, now: now, shown: now()}
}

func (d *display) report(p sdk.Progress) {
	d.mu.Lock()
	defer d.mu.Unlock()
	now := d.now()
	if p.Text != d.text {
		d.text, d.start, d.from = p.Text, now, p.Done
	}
	d.latest = p
	every := lineEvery
	if d.bar {
		every = barEvery
	}
	if d.drawn && p.Total > 0 && p.Done == p.Total {
		every = 0 // the full bar is worth seeing
	}
	if now.Sub(d.shown) < every {
		return
	}
	d.shown = now
	if d.bar {
		d.drawn = true
		fmt.Fprintf(d.to, "\r\x1b[K%s", d.line(now))
		return
	}
	fmt.Fprintf(d.to, "berth: %s\n", d.line(now))
}

// done leaves a terminal as it was.
func (d *display) done() {
	d.mu.Lock()
	defer d.mu.Unlock()
	if d.drawn {
		fmt.Fprint(d.to, "\r\x1b[K")
	}
}

// line is what there is to say now.
func (d *display) line(now time.Time) string {
	p := d.latest
	var b strings.Builder
	b.WriteString(oneLine(p.Text))
	if d.bar && p.Total > 0 {
		full := int(min(max(p.Done, 0), p.Total) * barWidth / p.Total)
		fmt.Fprintf(&b, " [%s%s]", strings.Repeat("=", full), strings.Repeat(" ", barWidth-full))
	}
	switch {
	case p.Total > 0:
		fmt.Fprintf(&b, " %s of %s", bytes(p.Done), bytes(p.Total))
	case p.Done > 0:
		fmt.Fprintf(&b, " %s", bytes(p.Done))
	}
	if took := now.Sub(d.start); took > time.Second && p.Done > d.from {
		fmt.Fprintf(&b, ", %s/s", bytes(int64(float64(p.Done-d.from)/took.Seconds())))
	}
	return b.String()
}

// oneLine keeps what a driver says from breaking the line.
func oneLine(text string) string {
	return strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f {
			return ' '
		}
		return r
	}, text)
}

// bytes writes a number of bytes for people.
func bytes(n int64) string {
	const unit = 1024
	if n < unit {
		return fmt.Sprintf("%d B", n)
	}
	value, units := float64(n), "KMGTPE"
	for i := range units {
		value /= unit
		if value < unit || i == len(units)-1 {
			return fmt.Sprintf("%.1f %ciB", value, units[i])
		}
	}
	return ""
}
