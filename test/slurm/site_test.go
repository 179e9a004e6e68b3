package slurm

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// noKillWait is how long Slurm waits between SIGTERM and SIGKILL: longer than these tests may take. What
// has to be over before it is over needs no clock then.
const noKillWait = "KillWait=36000"

// killWait is for tests of what happens when it is over.
const killWait = "KillWait=5"

// site is a cluster whose container jobs one driver runs.
type site struct {
	*cluster.Cluster
	release release
	driver  string
	guide   bool   // not berth, but a template of Slurm's Containers Guide
	leaves  bool   // jobs may leave something behind
	common  string // directory of the machine that all nodes have; "" for none
	kind    string // of a cluster that is lent
	spoiled bool   // no other test can have it

	mutex   sync.Mutex
	watched map[testing.TB]bool // tests at whose end the nodes are looked at
}

// drivers are those that every test runs with.
var drivers = [...]string{"runc", "crun"}

// each runs a test on the shared cluster of each release and driver. The tests of one cluster run
// side by side: they must leave it, and its files, as they are.
func each(t *testing.T, f func(t *testing.T, s *site)) {
	needRoot(t)
	t.Parallel()
	for _, r := range chosen(t) {
		for _, driver := range drivers {
			t.Run(r.name+"/"+driver, func(t *testing.T) {
				t.Parallel()
				f(t, shared(t, r, sharing{release: r.name, driver: driver}))
			})
		}
	}
}

// eachNewest is each on the newest of the releases alone, for what has nothing to do with the release.
func eachNewest(t *testing.T, f func(t *testing.T, s *site)) {
	needRoot(t)
	t.Parallel()
	r := newest(t)
	for _, driver := range drivers {
		t.Run(r.name+"/"+driver, func(t *testing.T) {
			t.Parallel()
			f(t, shared(t, r, sharing{release: r.name, driver: driver}))
		})
	}
}

// eachOwn runs a test on a cluster of its own for each release and driver: no other test has it meanwhile.
func eachOwn(t *testing.T, o cluster.Options, f func(t *testing.T, s *site)) {
	eachRelease(t, o, drivers[:], f)
}

// eachOne is eachOwn with one driver, for what has nothing to do with drivers.
func eachOne(t *testing.T, o cluster.Options, f func(t *testing.T, s *site)) {
	eachRelease(t, o, []string{"crun"}, f)
}

func eachRelease(t *testing.T, o cluster.Options, drivers []string, f func(t *testing.T, s *site)) {
	needRoot(t)
	t.Parallel()
	for _, r := range chosen(t) {
		for _, driver := range drivers {
			t.Run(r.name+"/"+driver, func(t *testing.T) {
				t.Parallel()
				f(t, lend(t, r, driver, o))
			})
		}
	}
}

// sharing tells the shared clusters apart.
type sharing struct {
	release, driver string
	staging         string // of the driver slurm, on clusters for it; see backend
}

// sharedSite is started by the first test that needs it.
type sharedSite struct {
	sync.Mutex
	*site
}

var (
	sites      = map[sharing]*sharedSite{}
	sitesMutex sync.Mutex
)

func shared(t *testing.T, r release, how sharing) *site {
	t.Helper()
	sitesMutex.Lock()
	if sites[how] == nil {
		sites[how] = &sharedSite{}
	}
	s := sites[how]
	sitesMutex.Unlock()
	s.Lock()
	defer s.Unlock()
	if s.site == nil {
		o := cluster.Options{}
		if how.staging != "" {
			o = cluster.Options{Nodes: 2, Shared: sharedDir(t), Config: backendConfig(fmt.Sprintf("staging = %q", how.staging))}
		}
		s.site = newSite(t, r, how.driver, o)
		s.configure(t, o.Config)
	}
	return s.site
}

// closeSites ends all clusters. What jobs left behind in a shared one is an error.
func closeSites() error {
	var failed []error
	for how, s := range sites {
		if s.site == nil {
			continue // it did not start
		}
		if left := s.left(""); len(left) > 0 {
			failed = append(failed, fmt.Errorf("left after all tests with %+v:\n%s", how, strings.Join(left, "\n")))
		}
		for _, path := range s.staged() {
			failed = append(failed, fmt.Errorf("left after all tests with %+v: %s", how, path))
		}
		failed = append(failed, s.end())
	}
	for _, s := range idle {
		failed = append(failed, s.end())
	}
	return errors.Join(failed...)
}

// end ends the cluster and removes what its nodes have in common.
func (s *site) end() error {
	err := s.Close()
	if s.common != "" {
		err = errors.Join(err, os.RemoveAll(s.common))
	}
	return err
}

// newSite starts a cluster whose nodes have what the driver needs. It is to be configured.
func newSite(t *testing.T, r release, driver string, o cluster.Options) *site {
	t.Helper()
	s := &site{release: r, driver: driver, common: o.Shared, watched: map[testing.TB]bool{}}
	o.Root = r.root(t)
	o.Programs = programs(t)
	if !slices.Contains(o.Lines, killWait) {
		o.Lines = append(slices.Clip(o.Lines), noKillWait)
	}
	below(t, r, &o, driver)
	ctx, cancel := await.Lasting(t)
	defer cancel()
	var err error
	if s.Cluster, err = cluster.Start(ctx, o); err != nil {
		t.Fatal(err)
	}
	s.provide(t, driver)
	return s
}

// configure writes berth.toml and oci.conf on all nodes, with the site's driver as the default and that addition.
func (s *site) configure(t testing.TB, config string) {
	t.Helper()
	config = fmt.Sprintf("default_driver = %q\n", s.driver) + config + furtherDrivers[s.driver].config
	for _, n := range s.Nodes() {
		if err := errors.Join(n.WriteFile("/etc/berth/berth.toml", config, 0o644), n.Configure(context.Background())); err != nil {
			t.Fatal(err)
		}
	}
}

// programs is the directory of berth's programs.
func programs(t testing.TB) string {
	t.Helper()
	dir := os.Getenv("BERTH_BIN")
	if dir == "" {
		dir = "../../bin"
	}
	if _, err := os.Stat(filepath.Join(dir, "berth")); err != nil {
		lacking(t, "berth's programs: run make build, or set BERTH_BIN")
	}
	return dir
}

// node is the node that most tests are about.
func (s *site) node() *cluster.Node { return s.Node(0) }
