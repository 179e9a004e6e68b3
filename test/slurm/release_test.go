package slurm

import (
	"os"
	"os/exec"
	"slices"
	"strings"
	"sync"
	"testing"
)

// release is a release of Slurm and where its programs are.
type release struct {
	name  string
	suite string // Debian's; "" for the machine's own root filesystem
}

var releases = [...]release{{"22.05", ""}, {"24.11", "trixie"}, {"26.05", "sid"}}

// chosen are the releases to test.
func chosen(t testing.TB) []release {
	t.Helper()
	wanted := strings.Fields(os.Getenv("BERTH_TEST_SLURM"))
	if len(wanted) == 0 {
		wanted = []string{"22.05", "24.11"}
	}
	var found []release
	for _, r := range releases {
		if slices.Contains(wanted, r.name) {
			found = append(found, r)
		}
	}
	if len(found) != len(wanted) {
		t.Fatalf("BERTH_TEST_SLURM: %q are not all releases that can be tested", wanted)
	}
	return found
}

// newest is the newest of the chosen releases.
func newest(t testing.TB) release {
	t.Helper()
	all := chosen(t)
	return all[len(all)-1]
}

// before says whether r is an older release than another: "22.05" sorts before "23.02".
func (r release) before(other string) bool { return r.name < other }

// root is the root filesystem of the release. One that is not there is made, which takes a minute
// and the network, only where nothing may be missing.
func (r release) root(t testing.TB) string {
	t.Helper()
	if r.suite == "" {
		needPrograms(t, "slurmctld", "slurmd", "srun", "munged")
		return "/"
	}
	dir := "/var/cache/berth-test/" + r.suite
	_, err := os.Stat(dir + "/usr/sbin/slurmd")
	switch {
	case err == nil && !full():
	case !full():
		lacking(t, "root filesystem: run test/slurm/rootfs "+r.suite+" "+dir)
	default:
		needPrograms(t, "mmdebstrap")
		makeOnce(t, "./rootfs", r.suite, dir)
	}
	return dir
}

var (
	made   = map[string]bool{}
	making sync.Mutex
)

// makeOnce makes a directory with a script of this package, which leaves it as it is where it is there and complete.
func makeOnce(t testing.TB, script, suite, dir string) {
	t.Helper()
	making.Lock()
	defer making.Unlock()
	if made[dir] {
		return
	}
	if out, err := exec.Command(script, suite, dir).CombinedOutput(); err != nil {
		t.Fatalf("%s %s %s: %v\n%s", script, suite, dir, err, out)
	}
	made[dir] = true
}
