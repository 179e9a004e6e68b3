package main

import (
	"fmt"
	"io"
	"os"
	"time"
)

// estimate says how long a whole run will roughly take on this machine. It is called in the module's root.
func estimate(w io.Writer) error {
	dir, err := os.MkdirTemp("", "berth-suite.")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	unit, err := buildSmallest(".", dir)
	if err != nil {
		return err
	}
	s, err := unit.measure(unitRounds)
	if err != nil {
		return err
	}
	known, err := knownCosts()
	if err != nil {
		return err
	}
	whole := 0.0
	for _, cost := range known {
		whole += cost
	}
	c := clock{perS: wallPerS(s), rest: whole, began: time.Now(), now: time.Now}
	fmt.Fprintf(w, "the tests cost some %s S, the smallest Go program takes %s here: %s\n",
		thousands(whole), s.processor.Round(10*time.Microsecond), c.left())
	return nil
}
