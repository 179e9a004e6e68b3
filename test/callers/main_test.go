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
	"os/signal"
	"syscall"
	"testing"
	"time"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

func TestMain(m *testing.M) {
	if err := cluster.LimitParallel(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	before := cgroups()
	go interrupted(before)
	status := m.Run()
	if err := closeNodes(); err != nil {
		fmt.Fprintln(os.Stderr, "ending the nodes:", err)
		status = 1
	}
	forgetCgroups(before, hang)
	os.Exit(status)
}

// interrupted ends the program when it is told to end. The kernel ends everything on the nodes; their cgroups are the
// machine's.
func interrupted(before []string) {
	told := make(chan os.Signal, 1)
	signal.Notify(told, os.Interrupt, syscall.SIGTERM)
	<-told
	nodesMutex.Lock()
	for _, n := range nodes {
		_ = n.cluster.Close()
	}
	forgetCgroups(before, 5*time.Second)
	os.Exit(1)
}
