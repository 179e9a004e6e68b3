// Package slurm tests berth under a real Slurm: jobs of an ordinary user on clusters that the tests
// start themselves, of several releases of Slurm and with each driver.
//
// Only root can start a cluster. BERTH_BIN is the directory of berth's programs, ../../bin where it
// is not set. BERTH_TEST_SLURM lists the releases to test, "22.05 24.11" where it is not set.
package slurm

import (
	"fmt"
	"os"
	"testing"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

func TestMain(m *testing.M) {
	if err := cluster.LimitParallel(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(2)
	}
	status := m.Run()
	if err := closeSites(); err != nil {
		fmt.Fprintln(os.Stderr, "ending the clusters:", err)
		status = 1
	}
	os.Exit(status)
}
