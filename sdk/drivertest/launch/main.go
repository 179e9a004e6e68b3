// Command launch is the host's stand-in, which the conformance kit runs in front of containers.
// Package drivertest builds it by itself.
package main

import (
	"fmt"
	"os"

	"github.com/berth-hpc/berth/sdk/drivertest"
)

func main() {
	handled, status := drivertest.Main(os.Args)
	if !handled {
		fmt.Fprintln(os.Stderr, "launch: this program belongs to the conformance kit, which starts it by itself")
		status = 125
	}
	os.Exit(status)
}
