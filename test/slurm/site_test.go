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
	"time"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// patience is how long a test waits for what should take a moment. Nothing is judged by time below.
const patience = 60 * time.Second

// killWait is how long Slurm waits between SIGTERM and SIGKILL.
const killWait = 10 * time.Second

// site is a cluster whose container jobs one driver runs.
type site struct {
	*cluster.Cluster
	release release
	driver  string
	guide   bool   // not berth, but a template of Slurm's Containers Guide
	leaves  bool   // jobs may leave something behind
	common  string // directory of the machine that all nodes have; "" for none
}

// drivers are those that every test runs with.
var drivers = [...]string{"runc", "crun"}

// each runs a test on the shared cluster of each release and driver. The tests of one cluster run
// side by side: they must leave it, and its files, as they are.
func each(t *testing.T, f func(t *testing.T, s *site)) { eachOf(t, sharing{}, f) }

// eachGuide is each with a template of the guide in the place of berth.
func eachGuide(t *testing.T, f func(t *testing.T, s *site)) { eachOf(t, sharing{guide: true}, f) }

func eachOf(t *testing.T, how sharing, f func(t *testing.T, s *site)) {
	needRoot(t)
	t.Parallel()
	for _, r := range chosen(t) {
		for _, driver := range drivers {
			t.Run(r.name+"/"+driver, func(t *testing.T) {
				t.Parallel()
				how.release, how.driver = r.name, driver
				f(t, shared(t, r, how))
			})
		}
	}
}

// eachOwn runs a test on a cluster of its own for each release and driver, which it may spoil.
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
				s := newSite(t, r, sharing{driver: driver}, o)
				t.Cleanup(func() {
					if err := s.Close(); err != nil {
						t.Error(err)
					}
				})
				f(t, s)
			})
		}
	}
}

// sharing tells the shared clusters apart.
type sharing struct {
	release, driver string
	guide           bool
	staging         string // of the driver slurm, on clusters for it; see backend
}

var (
	sites      = map[sharing]*site{}
	sitesMutex sync.Mutex
)

func shared(t *testing.T, r release, how sharing) *site {
	t.Helper()
	sitesMutex.Lock()
	defer sitesMutex.Unlock()
	if sites[how] == nil {
		o := cluster.Options{}
		if how.staging != "" {
			o = cluster.Options{Nodes: 2, Shared: sharedDir(t), Config: backendConfig(fmt.Sprintf("staging = %q", how.staging))}
		}
		sites[how] = newSite(t, r, how, o)
		sites[how].common = o.Shared
	}
	return sites[how]
}

// closeSites ends the shared clusters. What jobs left behind in one of them is an error.
func closeSites() error {
	var failed []error
	for how, s := range sites {
		if left := s.left(""); len(left) > 0 {
			failed = append(failed, fmt.Errorf("left after all tests with %+v:\n%s", how, strings.Join(left, "\n")))
		}
		for _, path := range s.staged() {
			failed = append(failed, fmt.Errorf("left after all tests with %+v: %s", how, path))
		}
		failed = append(failed, s.Close())
		if s.common != "" {
			failed = append(failed, os.RemoveAll(s.common))
		}
	}
	return errors.Join(failed...)
}

func newSite(t *testing.T, r release, how sharing, o cluster.Options) *site {
	t.Helper()
	s := &site{release: r, driver: how.driver, guide: how.guide}
	s.leaves = s.guide // its templates leave state directories and processes, which is one reason for berth
	o.Root = r.root(t)
	o.Lines = append(slices.Clip(o.Lines), fmt.Sprintf("KillWait=%d", int(killWait.Seconds())))
	if s.guide {
		o.OCI = cluster.GuideOCI(s.driver)
	} else {
		o.Programs = programs(t)
		o.Config = fmt.Sprintf("default_driver = %q\n", s.driver) + o.Config
		below(t, r, &o, s.driver)
	}
	ctx, cancel := context.WithTimeout(context.Background(), patience)
	defer cancel()
	var err error
	if s.Cluster, err = cluster.Start(ctx, o); err != nil {
		t.Fatal(err)
	}
	s.provide(t, s.driver)
	for _, n := range s.Nodes() {
		if s.guide {
			continue
		}
		if err := n.Configure(ctx); err != nil {
			t.Fatal(err)
		}
	}
	return s
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
