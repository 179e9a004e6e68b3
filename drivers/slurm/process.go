package main

import (
	"path"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// The names of what berth adds to every container on its node, which the other node's berth adds again.
const (
	initName       = ".berth-init"
	statusName     = ".berth-status"
	initAnnotation = "org.berth.init"
)

// takeInitOff leaves the command as the user gave it.
func (p *portable) takeInitOff() {
	args := p.spec.Process.Args
	if len(args) > 0 && path.Base(args[0]) == initName {
		end := slices.Index(args, "--")
		if slices.Contains(args[:end+1], "--init") {
			p.annotate(initAnnotation, "true")
		}
		p.spec.Process.Args = args[end+1:]
	}
	p.spec.Mounts = slices.DeleteFunc(p.spec.Mounts, func(m specs.Mount) bool {
		name := path.Base(m.Destination)
		return name == initName || name == statusName
	})
}

// process drops limits, labels and priorities of this node: Slurm hands the submitter's limits on. Variables
// that describe another job or step would hide what Slurm says of this one; those of the job that the container
// is to be a step of, Slurm does not say again.
func (p *portable) process() {
	q := p.spec.Process
	dropLocal(q)
	same := variable(q.Env, jobVariable) != ""
	q.Env = slices.DeleteFunc(slices.Clone(q.Env), func(entry string) bool {
		ofJob := strings.HasPrefix(entry, "SLURM_JOB_") || strings.HasPrefix(entry, "SLURM_SUBMIT_") || strings.HasPrefix(entry, "SLURM_CLUSTER_")
		return strings.HasPrefix(entry, "SLURM_") && !(same && ofJob) || strings.HasPrefix(entry, "BERTH_DRIVER=")
	})
	if len(q.Args) > 0 {
		q.Args = slices.Clone(q.Args)
		q.Args[0] = found(p.spec.Root.Path, q.Args[0], variable(q.Env, "PATH"))
	}
}

// dropLocal drops what a process has of the node that it was meant for.
func dropLocal(q *specs.Process) {
	q.Rlimits, q.OOMScoreAdj, q.Scheduler, q.IOPriority, q.ExecCPUAffinity, q.ConsoleSize = nil, nil, nil, nil, nil, nil
	q.ApparmorProfile, q.SelinuxLabel = "", ""
	q.User.AdditionalGids = nil
}
