package drivertest

import (
	"time"

	"golang.org/x/sys/unix"
)

// processorTime is what this process, and those of its children that have ended, have used so far.
func processorTime() time.Duration {
	var sum time.Duration
	for _, who := range []int{unix.RUSAGE_SELF, unix.RUSAGE_CHILDREN} {
		var used unix.Rusage
		if unix.Getrusage(who, &used) == nil {
			sum += time.Duration(used.Utime.Nano() + used.Stime.Nano())
		}
	}
	return sum
}
