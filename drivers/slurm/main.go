// Berth-driver-slurm runs containers as jobs of a Slurm cluster: it plans srun --container for a bundle that
// it has made fit for another node.
package main

import (
	"os"

	"github.com/berth-hpc/berth/sdk/plugin"
)

func main() {
	if calledBySrun(os.Environ()) {
		os.Exit(hook(os.Getenv(contextVariable), os.Getenv(rootVariable), os.Getenv(processVariable)))
	}
	plugin.Serve(&driver{who: caller})
}

// driver implements sdk.Driver, Configurer, Checker, Lifecycle and Execer. What it has to know of a
// container lies in the container's own root, see record.
type driver struct {
	settings *settings
	who      func() identity
}
