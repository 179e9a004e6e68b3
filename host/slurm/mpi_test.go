package slurm

import (
	"os"
	"slices"
	"testing"

	"github.com/berth-hpc/berth/host/dispatch"
)

// TestMPIRequest: what a container needs by what Slurm says of its task.
func TestMPIRequest(t *testing.T) {
	for name, c := range map[string]struct {
		job    job
		env    []string
		shared []string // those that every node has
		pid    int
	}{
		"no MPI":             {job{"SLURM_GTIDS": "0,1"}, nil, nil, 0},
		"PMIx":               {job{"PMIX_RANK": "3", "SLURM_GTIDS": "3"}, []string{"PMIX_MCA_gds=hash"}, nil, 0},
		"the user's own way": {job{"PMIX_RANK": "3", "PMIX_MCA_gds": "shmem2"}, nil, nil, 0},
		"PMIx, several tasks": {
			job{"PMIX_RANK": "3", "SLURM_GTIDS": "2,3", "PMIX_SERVER_TMPDIR": "/spool/job7//pmix.7.0/"},
			[]string{"PMIX_MCA_gds=hash"}, []string{"/dev/shm", "/spool/job7"}, firstPID + 1,
		},
		"the user's own directory": {
			job{"PMIX_RANK": "3", "SLURM_GTIDS": "2,3", "PMIX_SERVER_TMPDIR": "/spool/job7//pmix.7.0/", "SLURM_PMIX_TMPDIR": "/tmp"},
			[]string{"PMIX_MCA_gds=hash"}, []string{"/dev/shm"}, firstPID + 1,
		},
	} {
		t.Run(name, func(t *testing.T) {
			var r dispatch.Request
			if err := c.job.mpi(nil, 1, &r); err != nil {
				t.Fatal(err)
			}
			var shared []string
			for _, m := range r.Shared {
				if m.Destination != "/run/munge" {
					shared = append(shared, m.Destination)
				}
			}
			if !slices.Equal(r.Env, c.env) || !slices.Equal(shared, c.shared) || r.PID != c.pid {
				t.Errorf("got %q, %q, %d, want %q, %q, %d", r.Env, shared, r.PID, c.env, c.shared, c.pid)
			}
			if _, err := os.Stat("/run/munge"); err == nil && c.job["PMIX_RANK"] != "" && len(shared) == len(r.Shared) {
				t.Error("munge's socket is not shared")
			}
		})
	}
}
