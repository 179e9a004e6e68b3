package slurm

import (
	"cmp"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"sync"
	"testing"

	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// further is a driver that some of the tests run with, besides runc and crun, and what its nodes need. They
// have Slurm 23.02 or later: what earlier ones lack has nothing to do with drivers.
type further struct {
	packages string            // root filesystem with the runtime, as in /var/cache/berth-test/SUITE-PACKAGES; "" for none
	suite    string            // of the packages; "" for the release's own
	programs map[string]string // of the node, by path: the file of this machine that is copied there
	built    map[string]string // likewise, by path: the Go package of this module
	config   string            // for berth.toml
}

// furtherDrivers are these drivers by name.
var furtherDrivers = map[string]further{
	"charliecloud": {packages: "charliecloud", config: "[drivers.charliecloud]\nisolation = \"share\"\n"},
	// Apptainer is built at a fixed version, and needs programs of trixie.
	"singularity": {packages: "apptainer", suite: "trixie", config: "[drivers.singularity]\nisolation = \"share\"\n"},
	// No suite has enroot: a stand-in keeps its command line, and needs the same packages as Charliecloud.
	"enroot": {
		packages: "charliecloud",
		built:    map[string]string{"/opt/enroot/enroot": "../../drivers/enroot/testdata/standin"},
		config:   "[drivers.enroot]\nruntime = \"/opt/enroot/enroot\"\nisolation = \"share\"\n",
	},
	"nvidia": {
		programs: map[string]string{"/usr/bin/nvidia-container-runtime": "/var/cache/berth-test/nvidia/nvidia-container-runtime"},
		config:   "[drivers.nvidia]\nlow_level = \"/usr/bin/crun\"\nmode = \"cdi\"\n",
	},
}

// eachOfAll is each, with these drivers too.
func eachOfAll(t *testing.T, f func(t *testing.T, s *site)) {
	each(t, f)
	eachFurther(t, slices.Collect(maps.Keys(furtherDrivers)), f)
}

// eachOfAllOwn is eachOwn, with these drivers too.
func eachOfAllOwn(t *testing.T, o cluster.Options, f func(t *testing.T, s *site)) {
	eachOwn(t, o, f)
	for _, r := range chosen(t) {
		for driver := range furtherDrivers {
			if r.before("23.02") {
				continue
			}
			t.Run(r.name+"/"+driver, func(t *testing.T) {
				t.Parallel()
				f(t, lend(t, r, driver, o))
			})
		}
	}
}

// eachFurther runs a test on the shared clusters of some of these drivers.
func eachFurther(t *testing.T, drivers []string, f func(t *testing.T, s *site)) {
	for _, r := range chosen(t) {
		for _, driver := range drivers {
			if r.before("23.02") {
				continue
			}
			t.Run(r.name+"/"+driver, func(t *testing.T) {
				t.Parallel()
				f(t, shared(t, r, sharing{release: r.name, driver: driver}))
			})
		}
	}
}

// below adds to a cluster's options the root filesystems that have the drivers' runtimes.
func below(t *testing.T, r release, o *cluster.Options, drivers ...string) {
	t.Helper()
	for _, name := range drivers {
		d := furtherDrivers[name]
		o.Config += d.config
		if d.packages != "" && r.suite != "" { // the machine itself has them
			root := "/var/cache/berth-test/" + cmp.Or(d.suite, r.suite) + "-" + d.packages
			if _, err := os.Stat(root); err != nil {
				lacking(t, err.Error()+": run test/setup")
			}
			o.Below = append(o.Below, root)
		}
	}
}

// provide copies what the drivers need to the nodes.
func (s *site) provide(t *testing.T, drivers ...string) {
	t.Helper()
	for _, name := range drivers {
		d := furtherDrivers[name]
		for at, from := range d.programs {
			s.copy(t, at, from)
		}
		for at, source := range d.built {
			s.write(t, at, builtOnce(t, source))
		}
	}
}

// copy puts a program of this machine on every node.
func (s *site) copy(t *testing.T, at, from string) {
	t.Helper()
	text, err := os.ReadFile(from)
	if err != nil {
		lacking(t, err.Error()+": run test/setup")
	}
	s.write(t, at, string(text))
}

// write writes a program on every node.
func (s *site) write(t testing.TB, at, program string) {
	t.Helper()
	for _, n := range s.Nodes() {
		if err := n.WriteFile(at, program, 0o755); err != nil {
			t.Fatal(err)
		}
	}
}

var (
	programsBuilt = map[string]string{}
	building      sync.Mutex
)

// builtOnce is the program that a Go package of this module or a file of C makes, built by the first test that needs it.
func builtOnce(t testing.TB, source string) string {
	t.Helper()
	building.Lock()
	defer building.Unlock()
	if programsBuilt[source] == "" {
		program := filepath.Join(t.TempDir(), "program")
		build := exec.Command("go", "build", "-o", program, source)
		if filepath.Ext(source) == ".c" {
			build = exec.Command("cc", "-std=c11", "-Os", "-static", "-Wall", "-Wextra", "-Werror", "-o", program, source)
		}
		build.Env = append(os.Environ(), "CGO_ENABLED=0")
		if out, err := build.CombinedOutput(); err != nil {
			t.Fatalf("building %s: %v\n%s", source, err, out)
		}
		programsBuilt[source] = read(program)
	}
	return programsBuilt[source]
}
