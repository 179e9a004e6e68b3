// Command probe is the program that the conformance kit runs inside containers, and in front of
// them as the host's stand-in. Package drivertest builds it by itself.
package main

import (
	"fmt"
	"os"

	"github.com/berth-hpc/berth/sdk/drivertest"
)

func main() {
	handled, status := drivertest.Main(os.Args)
	if !handled {
		fmt.Fprintln(os.Stderr, "probe: this program belongs to the conformance kit, which starts it by itself")
		status = 125
	}
	os.Exit(status)
}
