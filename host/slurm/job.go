package slurm

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/host/handoff"
)

// job is what a job's environment says.
type job map[string]string

func newJob(env []string) job {
	j := make(job, len(env))
	for _, entry := range env {
		name, value, _ := strings.Cut(entry, "=")
		j[name] = value
	}
	return j
}

func (j job) value(name string) string { return j[name] }

func (j job) number(name string, otherwise int) int {
	if n, err := strconv.Atoi(j[name]); err == nil {
		return n
	}
	return otherwise
}

// workdir is the directory that the job was told to work in. From 23.02 on it is this process's own;
// before, no variable tells --chdir, and PWD is the directory of the shell that called srun or sbatch.
func (j job) workdir(inSpool bool) string {
	dir, err := os.Getwd()
	if inSpool {
		dir = j["PWD"]
	}
	if err != nil || !filepath.IsAbs(dir) {
		return ""
	}
	return filepath.Clean(dir)
}

// mpi gives the container what MPI needs of Slurm: the descriptor of PMI2 under a number that
// runtimes pass on, and the directory of the PMIx server.
func (j job) mpi(g *handoff.Guard, r *dispatch.Request) error {
	if fd, err := strconv.Atoi(j["PMI_FD"]); err == nil && fd > 2 {
		if err := g.PassOn(fd); err != nil {
			return err
		}
		r.Files = 1
		r.Env = append(r.Env, "PMI_FD=3")
	}
	if j["PMIX_RANK"] == "" {
		return nil
	}
	for _, name := range []string{"PMIX_SERVER_TMPDIR", "PMIX_SYSTEM_TMPDIR"} {
		r.Mounts = addDirectory(r.Mounts, j[name])
	}
	if info, err := os.Stat(mungeDir); err == nil && info.IsDir() {
		r.Mounts = addDirectory(r.Mounts, mungeDir)
	} else if j["PMIX_MCA_psec"] == "" {
		r.Env = append(r.Env, "PMIX_MCA_psec=native")
	}
	return nil
}

// mungeDir holds the socket by which PMIx clients can prove who they are.
const mungeDir = "/run/munge"

// addDirectory binds a directory of the node at its own path, once.
func addDirectory(mounts []bundle.Mount, dir string) []bundle.Mount {
	info, err := os.Stat(dir)
	if err != nil || !info.IsDir() || !filepath.IsAbs(dir) || filepath.Clean(dir) == "/tmp" {
		return mounts
	}
	for _, m := range mounts {
		if m.Destination == dir {
			return mounts
		}
	}
	return append(mounts, bundle.Mount{Source: dir, Destination: dir})
}
