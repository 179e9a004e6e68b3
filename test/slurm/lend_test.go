package slurm

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// plain are the options of most tests that have a cluster of their own, so that they have the same ones, one after
// another: a second partition, and GPUs for the jobs that ask for some.
var plain = cluster.Options{
	Lines: []string{"PartitionName=other Nodes=ALL OverSubscribe=FORCE:64 MaxTime=INFINITE", "GresTypes=gpu", "NodeName=DEFAULT Gres=gpu:a100:2"},
	Files: map[string]string{"gres.conf": "Name=gpu Type=a100 File=/dev/null\nName=gpu Type=a100 File=/dev/zero\n"},
}

// idle are the clusters that are lent to no test.
var (
	idle      []*site
	idleMutex sync.Mutex
)

// lend gives a test a cluster that no other test has meanwhile, with that berth.toml: one that another test had, or
// a new one. A test that spoils it says so; one that failed may have.
func lend(t *testing.T, r release, driver string, o cluster.Options) *site {
	t.Helper()
	kind := fmt.Sprint(r.name, furtherDrivers[driver], o.Nodes, o.Lines, o.Files, o.Below, o.Image, o.Shared != "")
	s := takeIdle(kind)
	if s == nil {
		s = newSite(t, r, driver, o)
		s.kind = kind
	} else if o.Shared != "" {
		_ = os.Remove(o.Shared) // it has one
	}
	t.Cleanup(func() {
		if s.spoiled || t.Failed() {
			if err := s.end(); err != nil {
				t.Error(err)
			}
			return
		}
		idleMutex.Lock()
		defer idleMutex.Unlock()
		idle = append(idle, s)
	})
	s.driver, s.guide, s.leaves = driver, false, false
	s.clear(t)
	s.configure(t, o.Config)
	return s
}

func takeIdle(kind string) *site {
	idleMutex.Lock()
	defer idleMutex.Unlock()
	i := slices.IndexFunc(idle, func(s *site) bool { return s.kind == kind })
	if i < 0 {
		return nil
	}
	s := idle[i]
	idle = slices.Delete(idle, i, i+1)
	return s
}

// clear removes what the tests before this one were allowed to leave.
func (s *site) clear(t testing.TB) {
	t.Helper()
	for _, n := range s.Nodes() {
		for _, pattern := range []string{"/run/berth/*", "/srv/accounting", "/srv/syslog", "/run/log", "/etc/cdi/*", "/tmp/*", "/srv/started"} {
			found, _ := filepath.Glob(n.Path(pattern))
			for _, path := range found {
				if err := os.RemoveAll(path); err != nil {
					t.Fatal(err)
				}
			}
		}
	}
	for _, left := range s.left("") {
		node, path, _ := strings.Cut(left, ":")
		i := slices.IndexFunc(s.Nodes(), func(n *cluster.Node) bool { return n.Name == node })
		if err := os.RemoveAll(s.Node(i).Path(path)); err != nil {
			t.Fatal(err)
		}
	}
}
