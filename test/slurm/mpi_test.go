package slurm

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/test/slurm/cluster"
)

// launch is a way to start an MPI program: what srun speaks and a library of Debian's that speaks it
// too. No Open MPI of Debian's speaks PMI2.
type launch struct{ mpi, library string }

var launches = [...]launch{{"pmix", "openmpi"}, {"pmi2", "mpich"}}

// TestMPI has two nodes, the image, and berth's TaskProlog.
func TestMPI(t *testing.T) {
	needRoot(t)
	for _, r := range chosen(t) {
		for _, driver := range drivers {
			t.Run(r.name+"/"+driver, func(t *testing.T) {
				o := cluster.Options{Nodes: 2, Image: mpiImage(t, r), Lines: []string{"TaskProlog=/etc/slurm/task-prolog"}}
				s := lend(t, r, driver, o)
				s.readyForMPI(t)
				bundle := s.imageBundle(t)
				for _, l := range s.launches(t) {
					t.Run(l.mpi, func(t *testing.T) { s.testRanks(t, l, bundle) })
					if l.mpi == "pmix" {
						t.Run("no network", s.testNoNetwork)
					}
				}
				t.Run("task prolog", s.testTaskProlog)
			})
		}
	}
}

// launches are the ways that this Slurm has. Debian's 26.05 is built without PMIx, every other has both.
func (s *site) launches(t *testing.T) []launch {
	t.Helper()
	r := s.run(t, "srun", "--mpi=list")
	if strings.Contains(r.stdout+r.stderr, "pmix") {
		return launches[:]
	}
	if s.release.before("25.11") {
		t.Errorf("no PMIx: %+v", r)
	}
	t.Logf("Slurm %s has no mpi/pmix here", s.release.name)
	return launches[1:]
}

// Ranks in containers find each other, know who they are, and exchange messages: on one node, where
// Slurm starts several tasks of a container step on one, and on two.
func (s *site) testRanks(t *testing.T, l launch, bundle string) {
	if !s.release.before("23.02") {
		t.Run("one node", func(t *testing.T) { s.ranks(t, l, bundle, 1, 4) })
		t.Run("three and one", func(t *testing.T) { s.ranks(t, l, bundle, 2, 4) })
	}
	t.Run("two nodes", func(t *testing.T) { s.ranks(t, l, bundle, 2, 2) })
}

// A stock "runc spec" has a network namespace with nothing in it: what MPI libraries say of that helps
// nobody, and some ranks carry on alone.
func (s *site) testNoNetwork(t *testing.T) {
	r := s.run(t, "srun", "--mpi=pmix", "--nodes=2", "--ntasks=2", "--container", s.bundle(t, func(config object) {
		linux := config["linux"].(object)
		linux["namespaces"] = append(linux["namespaces"].(list), object{"type": "network"})
	}), "/bin/true")
	if r.status != 0 || strings.Count(r.stderr, "network namespace of its own") != 1 || strings.Count(r.stderr, "\n") != 1 {
		t.Errorf("got %+v", r)
	}
}

// What Slurm 22.05 keeps from a container about its task, TaskProlog hands over.
func (s *site) testTaskProlog(t *testing.T) {
	out := s.ok(t, "srun", "--nodes=2", "--ntasks=2", "--container", s.bundle(t), "/bin/sh", "-c", "echo $SLURM_PROCID $SLURM_LOCALID $SLURMD_NODENAME")
	got := strings.Split(strings.TrimSpace(out), "\n")
	slices.Sort(got)
	if want := []string{"0 0 n1", "1 0 n2"}; !slices.Equal(got, want) {
		t.Errorf("got %q, want %q", got, want)
	}
}

// ranks runs both programs with size ranks on that many nodes.
func (s *site) ranks(t *testing.T, l launch, bundle string, nodes, size int) {
	t.Helper()
	var want []string
	for rank := range size {
		want = append(want, fmt.Sprintf("rank %d of %d on container", rank, size))
	}
	want = append(want, fmt.Sprintf("ring of %d: %d", size, 10*size))
	s.mpirun(t, l, bundle, "ring", nodes, size, want...)
	pairs := size * (size - 1)
	s.mpirun(t, l, bundle, "connectivity", nodes, size, fmt.Sprintf("connectivity of %d: %d of %d", size, pairs, pairs))
}

// mpirun runs a program of the image, which has to print these lines in any order.
func (s *site) mpirun(t *testing.T, l launch, bundle, program string, nodes, size int, want ...string) {
	t.Helper()
	job := s.start(t, call{
		args: []string{
			"srun", "--mpi=" + l.mpi, fmt.Sprint("--nodes=", nodes), fmt.Sprint("--ntasks=", size),
			"--container", bundle, "/mpi/" + program + "-" + l.library,
		},
		// All that these nodes have is a loopback device, which Open MPI would not use.
		env: []string{"OMPI_MCA_btl_tcp_if_include=lo"},
	})
	// In the MPICH 4.0 of Debian's 22.05, one rank's UCX waits now and then for another that waits for
	// all in PMI, at the very end and on the bare nodes as well: there the output has to do.
	hangs := s.release.before("23.02") && l.library == "mpich"
	if hangs {
		for _, line := range want {
			job.says(line + "\n")
		}
		_, _ = s.node().Output(t.Context(), "root", "scancel", "--signal=KILL", job.id()) // it may have come to its end
	}
	r := job.wait()
	if r.status != 0 && !hangs {
		t.Fatalf("%s: got %+v", program, r)
	}
	lines := strings.Split(strings.TrimSpace(r.stdout), "\n")
	slices.Sort(lines)
	if !slices.Equal(lines, want) {
		t.Errorf("%s: got %q, want %q", program, lines, want)
	}
}

// readyForMPI does what an administrator does.
func (s *site) readyForMPI(t *testing.T) {
	t.Helper()
	prolog := read("../../contrib/slurm/task-prolog")
	ctx := await.Context(t)
	for _, n := range s.Nodes() {
		if err := n.WriteFile("/etc/slurm/task-prolog", prolog, 0o755); err != nil {
			t.Fatal(err)
		}
		if !s.release.before("23.02") {
			continue
		}
		// Debian's slurmd of this release looks for a name that only PMIx's package for compiling has.
		if _, err := n.Output(ctx, "root", "ln", "-sf", "libpmix.so.2", "/usr/lib/x86_64-linux-gnu/pmix2/lib/libpmix.so"); err != nil {
			t.Fatal(err)
		}
		if err := n.StopSlurmd(); err != nil {
			t.Fatal(err)
		}
		if err := n.StartSlurmd(); err != nil {
			t.Fatal(err)
		}
	}
	if err := s.WaitIdle(ctx); err != nil {
		t.Fatal(err)
	}
}

// imageBundle makes a bundle of the image, which belongs to root and cannot be written to, with the
// file systems that "runc spec" lists.
func (s *site) imageBundle(t *testing.T) string {
	t.Helper()
	dir := s.bundle(t, func(config object) {
		config["mounts"] = append(config["mounts"].(list),
			object{"destination": "/dev/shm", "type": "tmpfs", "source": "shm", "options": list{"nosuid", "noexec", "nodev", "mode=1777", "size=65536k"}},
			object{"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": list{"nosuid", "noexec", "nodev", "ro"}})
	})
	for _, n := range s.Nodes() {
		if _, err := n.Output(t.Context(), "root", "mount", "--bind", cluster.Image, filepath.Join(dir, "rootfs")); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

// mpiImage is the image for a release: of the suite whose Slurm it is, because the PMIx of Slurm and
// that of the image have to understand each other.
func mpiImage(t *testing.T, r release) string {
	t.Helper()
	suite := r.suite
	if suite == "" {
		suite = "bookworm"
	}
	dir := "/var/cache/berth-test/mpi-" + suite
	if full() {
		needPrograms(t, "mmdebstrap")
		makeOnce(t, "./mpi-image", suite, dir)
	}
	if _, err := os.Stat(dir + "/mpi/ring-mpich"); err != nil {
		lacking(t, "image for MPI: run test/slurm/mpi-image "+suite+" "+dir)
	}
	return dir
}
