package slurm

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/sdk"
)

// Launch is what oci.conf's RunTimeRun says.
type Launch struct {
	Task
	Bundle  string   // %b: Slurm's copy of the bundle, in the task's spool directory
	EnvFile string   // %e, with IgnoreFileConfigJson in the place of Bundle
	Args    []string // %@, likewise
	Signals string   // "direct" or "forward", see Conf
}

// InitAnnotation is the annotation by which a bundle says whether berth-init stays as process 1.
const InitAnnotation = "org.berth.init"

// Run plans the container of a task, as the job's user. What the job knows comes from the bundle that
// Slurm wrote: the environment of this process is slurmd's.
func Run(h *dispatch.Host, l Launch) (*dispatch.Plan, error) {
	if err := l.check(); err != nil {
		return nil, err
	}
	if l.Task.Task == All {
		return nil, sdk.Mark(errors.New("--task -1 cannot be run"), sdk.ErrInvalid)
	}
	r := dispatch.Request{
		ID: l.id(l.Task.Task), Bundle: l.Bundle, Signals: l.Signals, EndWithRuntime: true, DeletePromised: true,
		Keeper: os.Getppid(), // slurmstepd, which calls Delete
		ByName: h.Config.Slurm.FindCommands, Init: h.Config.Slurm.Init,
	}
	env, err := l.environment(&r)
	if err != nil {
		return nil, err
	}
	job := newJob(env)
	if l.inSpool() {
		vars := l.untold(job)
		env, r.Env = replaced(env, vars), append(r.Env, vars...)
	}
	h.Env = env
	r.Match = job.match()
	r.Step = l.step(job, env)
	r.ContainerID = job.value("SLURM_CONTAINER_ID")
	if dispatch.IsTerminal(0) && dispatch.IsTerminal(1) {
		terminal := true // before 23.11.1, Slurm's copy of the bundle says no with --pty
		r.Terminal = &terminal
	}
	if wish := r.Loaded.Annotations()[InitAnnotation]; wish != "" {
		if r.Init, err = strconv.ParseBool(wish); err != nil {
			return nil, sdk.Mark(fmt.Errorf("annotation %s: %q is neither true nor false", InitAnnotation, wish), sdk.ErrInvalid)
		}
	}
	r.Workdir, r.WorkdirMayBeMissing = job.workdir(l.inSpool()), true
	if err := job.mpi(h.Guard, l.Task.Task, &r); err != nil {
		return nil, err
	}
	if why := job.cutOff(r.Loaded); why != "" {
		h.Log.Warn(why)
	}
	p, err := h.Run(r)
	if err == nil {
		accountStart(h, l, p, r)
	}
	return p, err
}

// environment loads the bundle and returns the job's environment.
func (l Launch) environment(r *dispatch.Request) (env []string, err error) {
	if l.EnvFile != "" {
		return l.image(r)
	}
	r.Loaded, err = bundle.Load(l.Bundle)
	if err != nil {
		return nil, err
	}
	env = r.Loaded.Env()
	r.Env, err = takeOver(l.Bundle, env)
	return slices.Concat(env, r.Env), err
}
