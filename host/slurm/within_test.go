package slurm

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/sdk"
)

func TestWithin(t *testing.T) {
	for name, c := range map[string]struct {
		env  []string
		want *sdk.Step
	}{
		"no job":       {[]string{"HOME=/", "SLURMD_NODENAME=n1"}, nil},
		"a login node": {[]string{"SLURM_JOB_ID=7"}, nil},
		"a task": {
			[]string{"SLURM_JOB_ID=7", "SLURM_STEP_ID=2", "SLURM_LOCALID=3", "SLURM_NTASKS_PER_NODE=4", "SLURMD_NODENAME=n1"},
			&sdk.Step{Job: "7", Step: "2", Task: 3, Tasks: 4, Node: "n1"},
		},
		"a batch script": {
			[]string{"SLURM_JOB_ID=7", "SLURM_LOCALID=0", "SLURMD_NODENAME=n1"},
			&sdk.Step{Job: "7", Step: "4294967291", Tasks: 1, Node: "n1"},
		},
		"a job made up":  {[]string{"SLURM_JOB_ID=../7", "SLURMD_NODENAME=n1"}, nil},
		"a node made up": {[]string{"SLURM_JOB_ID=7", "SLURMD_NODENAME=a/b"}, nil},
		"a task made up": {[]string{"SLURM_JOB_ID=7", "SLURM_LOCALID=-1", "SLURMD_NODENAME=n1"}, nil},
	} {
		if c.want != nil {
			c.want.Env = c.env
		}
		if diff := cmp.Diff(c.want, Within(c.env)); diff != "" {
			t.Errorf("%s (-want +got):\n%s", name, diff)
		}
	}
}
