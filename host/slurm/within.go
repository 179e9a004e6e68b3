package slurm

import "github.com/berth-hpc/berth/sdk"

// Within is the step of which a process with this environment is a task on this node, by what Slurm tells
// each task, or nil where it is none. The user can make it up: nothing is allowed by it.
func Within(env []string) *sdk.Step {
	j := newJob(env)
	t := Task{Job: j["SLURM_JOB_ID"], Step: j["SLURM_STEP_ID"], Task: j.number("SLURM_LOCALID", 0), Node: j["SLURMD_NODENAME"]}
	if t.Step == "" {
		t.Step = batchStep // which Slurm does not tell its script
	}
	if t.Node == "" || t.Task == All || t.check() != nil {
		return nil
	}
	return t.step(j, env)
}

// step is the task's step, whose environment is also known as j.
func (t Task) step(j job, env []string) *sdk.Step {
	return &sdk.Step{Job: t.Job, Step: t.Step, Task: t.Task, Tasks: j.number("SLURM_NTASKS_PER_NODE", 1), Node: t.Node, Env: env}
}
