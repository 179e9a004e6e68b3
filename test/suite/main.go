// Command suite runs the tests of berth in a stage (test/stage), a line for each part, and says at the
// end what they cost in units of the smallest Go program. test/run calls it. It is the standard library alone, so
// that it can be built, and say what is missing, before there is a network.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM, syscall.SIGHUP)
	defer stop()
	err := command(ctx, os.Args[1:])
	status := new(exitStatus)
	switch {
	case err == nil:
	case errors.As(err, status):
		os.Exit(int(*status))
	case errors.Is(err, context.Canceled):
		fmt.Println("interrupted")
		os.Exit(130)
	case errors.Is(err, errFailed):
		os.Exit(1)
	default:
		fmt.Fprintln(os.Stderr, "make test:", err)
		os.Exit(1)
	}
}

// errFailed says that tests failed, which has been told.
var errFailed = errors.New("tests failed")

func command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("suite: estimate, run, campaign or slow?")
	}
	switch rest := args[1:]; args[0] {
	case "estimate":
		return estimate(os.Stdout)
	case "run":
		return run(ctx, rest)
	case "campaign":
		return campaign(ctx, rest)
	case "slow":
		return slow(ctx, rest)
	case "spin": // for slow
		spin()
	}
	return fmt.Errorf("suite: %q is not estimate, run, campaign or slow", args[0])
}
