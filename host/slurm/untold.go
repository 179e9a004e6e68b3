package slurm

import (
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
)

// batchStep is the number of a batch job's own step.
const batchStep = "4294967291"

// inSpool says whether this process works in the task's spool directory. Slurm before 23.02 starts it
// there, and neither tells the job's directory nor writes the task's own variables.
func (l Launch) inSpool() bool {
	dir, err := os.Getwd()
	return err == nil && l.Bundle != "" && filepath.Clean(l.Bundle) == dir
}

// untold returns the variables that tell a task who it is, as far as they follow from what is known:
// those releases run one task of a container step per node. What the environment says of them is of
// the task that called srun, if anything.
func (l Launch) untold(j job) []string {
	vars := []string{
		"SLURM_LOCALID=" + strconv.Itoa(l.Task.Task), "SLURMD_NODENAME=" + l.Node, "SLURM_TASK_PID=" + strconv.Itoa(os.Getpid()),
	}
	node, found := position(j["SLURM_STEP_NODELIST"], l.Node)
	if l.Step == batchStep {
		node, found = 0, true
	}
	if !found {
		return vars
	}
	rank := strconv.Itoa(node)
	vars = append(vars, "SLURM_NODEID="+rank)
	if l.Step == batchStep || j.number("SLURM_STEP_NUM_TASKS", 0) == j.number("SLURM_STEP_NUM_NODES", -1) {
		vars = append(vars, "SLURM_PROCID="+rank, "SLURM_GTIDS="+rank)
	}
	return vars
}

// replaced returns env with vars in the place of those of the same names.
func replaced(env, vars []string) []string {
	kept := slices.DeleteFunc(slices.Clone(env), func(entry string) bool {
		name, _, _ := strings.Cut(entry, "=")
		return slices.ContainsFunc(vars, func(v string) bool { return strings.HasPrefix(v, name+"=") })
	})
	return append(kept, vars...)
}
