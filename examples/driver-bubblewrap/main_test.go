package main

import (
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/berth-hpc/berth/sdk/drivertest"
)

func TestDriver(t *testing.T) {
	if _, err := exec.LookPath("/usr/bin/bwrap"); err != nil {
		t.Skip("needs bubblewrap: ", err)
	}
	driver := filepath.Join(t.TempDir(), "berth-driver-bubblewrap")
	if out, err := exec.Command("go", "build", "-o", driver, ".").CombinedOutput(); err != nil {
		t.Fatalf("building the driver: %v\n%s", err, out)
	}
	drivertest.Run(t, drivertest.Config{
		Driver: driver,
		Lacks:  map[drivertest.Feature]string{drivertest.Signals: "bwrap passes none on, and ends by them"},
	})
}
