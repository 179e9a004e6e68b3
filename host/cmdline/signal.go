package cmdline

import (
	"fmt"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// The real-time signals as programs see them: the C library keeps the first two of the kernel's
// for itself (signal(7)).
const (
	sigRTMin = 34
	sigRTMax = 64
)

// ParseSignal reads a signal's name, with or without SIG, or its number. What is no signal is
// refused: never sent as another.
func ParseSignal(text string) (syscall.Signal, error) {
	if n, err := strconv.Atoi(text); err == nil {
		if n < 1 || n > sigRTMax || n == 32 || n == 33 {
			return 0, unknownSignal(text)
		}
		return syscall.Signal(n), nil
	}
	name := strings.TrimPrefix(strings.ToUpper(text), "SIG")
	if sig := unix.SignalNum("SIG" + name); sig != 0 {
		return sig, nil
	}
	for base, sign := range map[string]int{"RTMIN": +1, "RTMAX": -1} {
		rest, ok := strings.CutPrefix(name, base)
		if !ok {
			continue
		}
		offset, err := strconv.Atoi(rest)
		if rest == "" {
			offset, err = 0, nil
		}
		sig := sigRTMin + offset
		if sign < 0 {
			sig = sigRTMax + offset
		}
		if err == nil && sig >= sigRTMin && sig <= sigRTMax && offset*sign >= 0 {
			return syscall.Signal(sig), nil
		}
	}
	return 0, unknownSignal(text)
}

func unknownSignal(text string) error {
	err := sdk.Mark(fmt.Errorf("unknown signal %q", text), sdk.ErrInvalid)
	return sdk.WithAdvice(err, "give a name such as TERM or USR1, or a number")
}
