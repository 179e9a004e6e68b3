// Package callers tests berth-oci as podman and docker call it: both programs as their users run them,
// root and an ordinary user, on nodes that the tests start themselves, with containers on the node and as
// jobs of a Slurm cluster.
//
// Only root can start a node. BERTH_BIN is the directory of berth's programs, ../../bin where it is not
// set.
package callers

import (
	"fmt"
	"os"
	"testing"
)

func TestMain(m *testing.M) {
	before := cgroups()
	status := m.Run()
	if err := closeNodes(); err != nil {
		fmt.Fprintln(os.Stderr, "ending the nodes:", err)
		status = 1
	}
	forgetCgroups(before)
	os.Exit(status)
}
