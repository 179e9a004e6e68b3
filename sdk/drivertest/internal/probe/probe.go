// Package probe is the kit's program inside a container: it ends as told, counts signals, moves
// bytes, and reports what it finds itself to be. It also stands in for berth-init, so that the
// kit needs no other file.
package probe

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
)

// The base names under which the program acts as this package says.
const (
	Name     = "berth-probe"
	InitName = ".berth-init"
)

// Is says whether argv, a program's own, asks for this package.
func Is(argv []string) bool {
	if len(argv) == 0 {
		return false
	}
	base := filepath.Base(argv[0])
	return base == Name || base == InitName
}

// Main does what argv says and returns the exit status. 120 to 124 are the probe's own, for what
// it could not do.
func Main(argv []string) int {
	if filepath.Base(argv[0]) == InitName {
		return initMain(argv[1:])
	}
	if len(argv) < 2 {
		return fail(120, "usage: %s COMMAND [ARG…]", Name)
	}
	arg := func(i int) string {
		if len(argv) > i+2 {
			return argv[i+2]
		}
		return ""
	}
	switch argv[1] {
	case "--rm":
		return remove(arg(0))
	case "exit":
		return number(arg(0))
	case "die":
		return die(number(arg(0)))
	case "say":
		return say(arg(0), arg(1))
	case "say-exit":
		say(arg(0), "")
		return number(arg(1))
	case "report":
		return report(nil)
	case "try":
		return report(argv[2:])
	case "wait":
		return wait(number(arg(0)))
	case "profiled":
		return profiled()
	case "family":
		return family(number(arg(0)))
	case "flood":
		return flood(int64(number(arg(0))))
	case "compare":
		return compare(os.Stdin)
	case "write-on":
		return writeOn()
	}
	return fail(120, "unknown command %q", argv[1])
}

func number(text string) int {
	n, err := strconv.Atoi(text)
	if err != nil {
		os.Exit(fail(121, "not a number: %q", text))
	}
	return n
}

func fail(status int, format string, args ...any) int {
	fmt.Fprintf(os.Stderr, Name+": "+format+"\n", args...)
	return status
}

func say(out, err string) int {
	fmt.Fprint(os.Stdout, out)
	fmt.Fprint(os.Stderr, err)
	return 0
}
