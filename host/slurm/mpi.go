package slurm

import (
	"os"
	"path"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/host/handoff"
)

// mpi gives a rank of an MPI program what it needs of Slurm and of the other ranks on the node.
// Where srun's --mpi is none there is nothing to do; with a site's MpiDefault every step is one.
func (j job) mpi(g *handoff.Guard, task int, r *dispatch.Request) error {
	fd, err := strconv.Atoi(j["PMI_FD"])
	pmi2, pmix := err == nil && fd > 2, j["PMIX_RANK"] != ""
	if pmi2 {
		if err := g.PassOn(fd); err != nil {
			return err
		}
		r.Files = 1
		r.Env = append(r.Env, "PMI_FD=3") // a number that runtimes pass on
	}
	if (pmi2 || pmix) && j.several() {
		// Ranks of one node talk through files here, whose names and contents hold process ids.
		r.Shared = append(r.Shared, directories("/dev/shm")...)
		r.PID = firstPID + task
	}
	if pmix {
		j.pmix(r)
	}
	return nil
}

// cutOff says why an MPI program cannot work in a bundle, or "" where it can or where this is not
// the task that says so for all of the step. What Open MPI says is anything else, or that each rank is
// alone.
func (j job) cutOff(b *bundle.Bundle) string {
	if j["PMIX_RANK"] != "0" || j.number("SLURM_NTASKS", 1) < 2 || !b.NewNamespace("network") {
		return ""
	}
	return `the bundle has a network namespace of its own, from where MPI ranks reach neither each other nor Slurm's PMIx: ` +
		`for an MPI program, remove "network" from linux.namespaces`
}

// firstPID is the process id that the first rank of a node gets in its container: one that no runtime's
// threads have used up by then.
const firstPID = 64

// several says whether the step has several tasks on this node.
func (j job) several() bool { return strings.Contains(j["SLURM_GTIDS"], ",") }

// pmix lets a PMIx client into slurmstepd's server. The server believes munge's word about the user,
// or else the uid that the client says, which in the container need not be the job's.
func (j job) pmix(r *dispatch.Request) {
	r.Shared = append(r.Shared, directories("/run/munge")...)
	if dir := path.Dir(path.Clean(j["PMIX_SERVER_TMPDIR"])); j["SLURM_PMIX_TMPDIR"] == "" && dir != "/" && path.IsAbs(dir) {
		// Where the server tells Open MPI to keep its files, without which it fails in strange ways.
		r.Shared = append(r.Shared, bundle.Mount{Destination: dir})
	}
	if j["PMIX_MCA_gds"] == "" {
		// What the server knows, by its socket instead of files in its directory: for that directory,
		// whose path is another for each step, no image has a place.
		r.Env = append(r.Env, "PMIX_MCA_gds=hash")
	}
}

// directories binds a directory at its own path, where the node has it.
func directories(dir string) []bundle.Mount {
	if info, err := os.Stat(dir); err != nil || !info.IsDir() {
		return nil
	}
	return []bundle.Mount{{Source: dir, Destination: dir}}
}
