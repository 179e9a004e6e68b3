package main

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// ownTime is the processor time of this process.
func ownTime() time.Duration { return processorTime(syscall.RUSAGE_SELF) }

func processorTime(who int) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(who, &u); err != nil {
		panic(err) // getrusage(2) fails for wrong arguments only
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}

// below is the processor time of everything that ended below this process: its children and theirs, and,
// in a stage, the orphans, for which process 1 of the stage's pid namespace waits.
func below() (time.Duration, error) {
	total := processorTime(syscall.RUSAGE_CHILDREN)
	if os.Getenv("BERTH_TEST_NAMESPACE") != "yes" {
		return total, nil
	}
	text, err := os.ReadFile("/proc/1/stat")
	if err != nil {
		return 0, err
	}
	orphans, err := childrenTime(string(text))
	return total + orphans, err
}

// tick is the unit of times in /proc: 1/sysconf(_SC_CLK_TCK) s, which is 10 ms on all of Linux.
const tick = 10 * time.Millisecond

// childrenTime adds cutime and cstime, fields 16 and 17 of proc_pid_stat(5).
func childrenTime(stat string) (time.Duration, error) {
	// The name, field 2, is in parentheses and may itself have some.
	fields := strings.Fields(stat[strings.LastIndexByte(stat, ')')+1:])
	if len(fields) < 15 {
		return 0, fmt.Errorf("/proc/1/stat: %q is not what proc_pid_stat(5) describes", stat)
	}
	var sum time.Duration
	for _, f := range fields[13:15] {
		n, err := strconv.ParseInt(f, 10, 64)
		if err != nil {
			return 0, fmt.Errorf("/proc/1/stat: %w", err)
		}
		sum += time.Duration(n) * tick
	}
	return sum, nil
}
