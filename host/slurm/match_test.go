package slurm

import (
	"os"
	"os/user"
	"slices"
	"strconv"
	"testing"
)

// TestMatchGRES: the variables are those that jobs of Slurm 22.05 and 24.11 have.
func TestMatchGRES(t *testing.T) {
	for name, c := range map[string]struct {
		env  []string
		want []string
	}{
		"nothing":               {[]string{"SLURM_JOB_ID=1"}, nil},
		"--gpus=1, 22.05":       {[]string{"SLURM_GPUS=1"}, []string{"gpu:1", "gpu"}},
		"--gpus-per-task":       {[]string{"SLURM_GPUS_PER_TASK=a100:1", "SLURM_GPUS_ON_NODE=1"}, []string{"gpu:a100:1", "gpu:1", "gpu"}},
		"two kinds":             {[]string{"SLURM_GPUS_PER_NODE=a100:1,v100:2"}, []string{"gpu:a100:1", "gpu:v100:2", "gpu"}},
		"--gres=gpu:2, 24.11":   {[]string{"SLURM_JOB_GPUS=0,1", "SLURM_GPUS_ON_NODE=2"}, []string{"gpu:2", "gpu"}},
		"one of the job's two":  {[]string{"SLURM_JOB_GPUS=0,1", "SLURM_STEP_GPUS=1"}, []string{"gpu:1", "gpu"}},
		"--tres-per-task":       {[]string{"SLURM_TRES_PER_TASK=gres/fpga:x=1,cpu=2,gres/gpu=1"}, []string{"fpga:x:1", "gpu:1", "gpu"}},
		"a resource like a GPU": {[]string{"SLURM_TRES_PER_TASK=gres/gpumem=1"}, []string{"gpumem:1"}},
		"none":                  {[]string{"SLURM_GPUS=0", "SLURM_GPUS_ON_NODE=0"}, nil},
	} {
		if got := newJob(c.env).gres(); !slices.Equal(got, c.want) {
			t.Errorf("%s: got %q, want %q", name, got, c.want)
		}
	}
}

// TestMatchUser: a job of another name in its environment does not become another user's.
func TestMatchUser(t *testing.T) {
	me, err := user.LookupId(strconv.Itoa(os.Getuid()))
	if err != nil {
		t.Fatal(err)
	}
	for _, env := range [][]string{nil, {"SLURM_JOB_USER=somebody"}} {
		if got := newJob(env).match().User; got != me.Username {
			t.Errorf("%q: user %q, want %q", env, got, me.Username)
		}
	}
}
