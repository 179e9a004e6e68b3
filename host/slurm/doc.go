// Package slurm is what Slurm's oci.conf calls, and the generator and linter of that file.
//
// Slurm runs RunTimeRun as the job's user, in the place of a task, and RunTimeQuery, RunTimeKill
// and RunTimeDelete as root, after the step's tasks have ended, with task -1 for all tasks of the
// step on this node (Slurm's src/plugins/runtime/oci; tried with 22.05.8 and 24.11.5). The root
// calls become the job's user before they look at anything that belongs to him.
package slurm
