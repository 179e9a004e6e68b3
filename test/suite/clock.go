package main

import "time"

// clock estimates how long the rest takes: first from S, then more and more from what has been seen.
type clock struct {
	began      time.Time
	now        func() time.Time
	perS       time.Duration // on the clock, for each S of cost
	done, rest float64       // known costs, in S
}

func (c *clock) elapsed() time.Duration { return c.now().Sub(c.began) }

// passed takes note that a part has ended.
func (c *clock) passed(known float64) {
	c.done += known
	c.rest = max(0, c.rest-known)
}

// trust is the cost after which what was seen counts as much as what was estimated, in S.
const trust = 20_000

func (c *clock) left() string {
	perS := (c.elapsed().Seconds() + c.perS.Seconds()*trust) / (c.done + trust)
	return "about " + minutes(time.Duration(c.rest*perS*float64(time.Second)))
}

// wallPerS is how long a suite takes on the clock for each S of its cost: some parts use two cores, most wait.
func wallPerS(s start) time.Duration { return s.processor * 4 / 5 }
