// Command probe is the program that the conformance kit runs inside containers. It links nothing of
// what the kit needs to ask a driver, so that its many starts are cheap. Package drivertest builds it by
// itself; "make build" builds it into berth.
package main

import (
	"fmt"
	"os"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
)

func main() {
	if !probe.Is(os.Args) {
		fmt.Fprintln(os.Stderr, "probe: this program belongs to the conformance kit, which starts it by itself")
		os.Exit(125)
	}
	os.Exit(probe.Main(os.Args))
}
