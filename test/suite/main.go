// Command suite runs the tests of berth in a stage (test/stage), a line for each part, and says at the
// end what they cost in units of the smallest Go program. See test/run, which calls it.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// options are what the caller chose, and where things are.
type options struct {
	tree      string        // the module's root
	logs      string        // where each part leaves its log
	programs  string        // where test programs are built
	test2json string        // the program
	run       string        // go test's -run; "" for all
	packages  []string      // patterns; none for all
	limit     time.Duration // after which a part that has not ended hangs
}

// everything says that no part was chosen.
func (o options) everything() bool { return o.run == "" && len(o.packages) == 0 }

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
		fmt.Fprintln(os.Stderr, "suite:", err)
		os.Exit(1)
	}
}

// errFailed says that tests failed, which has been told.
var errFailed = errors.New("tests failed")

func command(ctx context.Context, args []string) error {
	if len(args) == 0 {
		return errors.New("usage: suite estimate | run [-logs DIR] [-run TEST] [PACKAGE…] | slow COMMAND [ARG…]")
	}
	switch args[0] {
	case "estimate":
		return estimate(os.Stdout)
	case "run":
		o, err := parse(args[1:])
		if err != nil {
			return err
		}
		return o.all(ctx)
	case "slow":
		return slow(ctx, args[1:])
	case "spin": // for slow
		spin()
	}
	return fmt.Errorf("%q is not estimate, run or slow", args[0])
}

func parse(args []string) (o options, err error) {
	flags := flag.NewFlagSet("suite run", flag.ContinueOnError)
	flags.StringVar(&o.logs, "logs", "", "`DIR` for the log of each part")
	flags.StringVar(&o.run, "run", "", "run the tests that match `TEST`, as go test -run does")
	if err := flags.Parse(args); err != nil {
		return o, err
	}
	o.packages = flags.Args()
	if o.tree, err = os.Getwd(); err != nil {
		return o, err
	}
	if o.logs == "" {
		return o, errors.New("-logs is missing")
	}
	if err := os.MkdirAll(o.logs, 0o755); err != nil {
		return o, err
	}
	o.programs = filepath.Join(o.tree, "bin", "tests")
	o.test2json, err = tool("test2json")
	return o, err
}

// tool is the path of one of Go's tools, which is built where Go does not ship it built.
func tool(name string) (string, error) {
	out, err := goCommand("tool", "-n", name)
	return strings.TrimSpace(out), err
}
