// Berth-driver-crun runs bundles with crun.
package main

import (
	"github.com/berth-hpc/berth/drivers/internal/ociruntime"
	"github.com/berth-hpc/berth/sdk/plugin"
)

func main() { plugin.Serve(ociruntime.New(ociruntime.Crun())) }
