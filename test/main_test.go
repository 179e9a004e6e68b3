// Package test tests berth as its users meet it: the built programs, with real runtimes, as root
// and as an ordinary user.
//
// With BERTH_BIN, a directory with the programs, these are tested; else they are built first. What
// a machine lacks is skipped by name, unless BERTH_TEST_FULL says that nothing may be missing.
package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// programs is a directory with the programs under test, in which sites are made.
var programs string

func TestMain(m *testing.M) { os.Exit(mainStatus(m)) }

func mainStatus(m *testing.M) int {
	// A copy of this program is the drivers that misbehave.
	if strings.HasPrefix(filepath.Base(os.Args[0]), "berth-driver-") {
		serveDriver(filepath.Base(os.Args[0]))
		return 0
	}
	dir, err := os.MkdirTemp(trustedParent(), "berth-sites-*")
	if err == nil {
		defer os.RemoveAll(dir)
		err = install(dir)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "preparing the programs:", err)
		return 1
	}
	programs = dir
	before := containers()
	status := m.Run()
	if left := leftAtTheEnd(before); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "left after all tests, and after berth gc: %q\n", left)
		return 1
	}
	return status
}
