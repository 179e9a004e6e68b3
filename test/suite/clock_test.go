package main

import (
	"testing"
	"time"
)

// The estimate comes from S at first, and in the end from what was seen.
func TestLeft(t *testing.T) {
	t.Parallel()
	began := time.Unix(0, 0)
	now := began
	c := clock{began: began, now: func() time.Time { return now }, perS: time.Millisecond, rest: 1_200_000}
	if got := c.left(); got != "about 20 min" {
		t.Errorf("at the beginning: %s", got)
	}
	now = began.Add(2000 * time.Second) // twice as long as was estimated
	c.passed(1_000_000)
	if got := c.left(); got != "about 7 min" {
		t.Errorf("near the end: %s", got)
	}
	c.passed(300_000)
	if got := c.left(); got != "about 0 s" {
		t.Errorf("at the end: %s", got)
	}
}

func TestFigures(t *testing.T) {
	t.Parallel()
	for number, want := range map[float64]string{0: "0", 999: "999", 1000: "1 000", 1234567.4: "1 234 567"} {
		if got := thousands(number); got != want {
			t.Errorf("%v: %q, want %q", number, got, want)
		}
	}
	for d, want := range map[time.Duration]string{0: "0 s", 89 * time.Second: "89 s", 10 * time.Minute: "10 min"} {
		if got := minutes(d); got != want {
			t.Errorf("%v: %q, want %q", d, got, want)
		}
	}
}
