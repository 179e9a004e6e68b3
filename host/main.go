// Command berth runs containers on HPC nodes with the runtime that the site chose.
package main

import (
	"os"
	"runtime/debug"

	"github.com/berth-hpc/berth/host/cli"
)

func main() {
	debug.SetGCPercent(400) // a call of berth is over before it has much to collect
	os.Exit(cli.Main(os.Args, os.Environ()))
}
