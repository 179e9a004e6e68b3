// Command berth runs containers on HPC nodes with the runtime that the site chose.
package main

import (
	"os"
	"runtime/debug"

	"github.com/berth-hpc/berth/host/cli"
	"github.com/berth-hpc/berth/host/ocicli"
)

func main() {
	debug.SetGCPercent(400) // a call of berth is over before it has much to collect
	door := cli.Main
	if ocicli.Called(os.Args[0]) {
		door = ocicli.Main
	}
	os.Exit(door(os.Args, os.Environ()))
}
