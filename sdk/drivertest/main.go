package drivertest

import (
	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

// Main acts as the kit's launcher or as its program inside a container, where args, the
// program's own, say so. A program that calls Test calls Main before anything else, and ends with
// status where handled is true. It costs nothing otherwise.
func Main(args []string) (handled bool, status int) {
	switch {
	case len(args) == 4 && args[1] == launcher.Argument:
		return true, launcher.Main(args[2], args[3])
	case probe.Is(args):
		return true, probe.Main(args)
	}
	return false, 0
}
