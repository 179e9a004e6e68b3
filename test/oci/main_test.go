// Package oci compares berth-oci with the runtimes that it stands in front of: the same bundles and
// operations go through the bare runtime and through "berth-oci --driver RUNTIME", and the same exit
// statuses, output, states and facts within the container must come out.
//
// With BERTH_BIN, a directory with the programs, these are tested; else they are built first. What a
// machine lacks is skipped by name, unless BERTH_TEST_FULL says that nothing may be missing. With
// BERTH_TEST_BARE the bare runtime takes berth-oci's part too: what differs then, the suite itself
// does not hold steady.
package oci

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

// programs is a directory with the programs under test, the probe and the containers' root file
// system, in which every case has a directory of its own.
var programs string

func TestMain(m *testing.M) { os.Exit(mainStatus(m)) }

func mainStatus(m *testing.M) int {
	// Containers whose runtime has ended become children of this process, as they do of an engine's
	// monitor, which reads their exit status.
	if err := unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0); err != nil {
		fmt.Fprintln(os.Stderr, "becoming a subreaper:", err)
		return 1
	}
	unix.Umask(0o022)
	dir, err := os.MkdirTemp(trustedParent(), "berth-oci-*")
	if err == nil {
		defer os.RemoveAll(dir)
		err = install(dir)
	}
	if err == nil {
		err = makeRootfs(filepath.Join(dir, "rootfs"))
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "preparing the programs:", err)
		return 1
	}
	programs = dir
	status := m.Run()
	if left := leftAtTheEnd(); len(left) > 0 {
		fmt.Fprintf(os.Stderr, "left after all tests:\n%s\n", strings.Join(left, "\n"))
		return 1
	}
	return status
}
