package main

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// Run implements sdk.Driver. srun makes a job of one step for the container, or a step in a job that there
// is; the job's tasks are the containers, and srun, which the host becomes, ends with their status.
func (d *driver) Run(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	if err := d.checkRequest(c); err != nil {
		return nil, err
	}
	spec, err := c.Spec()
	if err != nil {
		return nil, err
	}
	wishes, err := d.wishesOf(c.Annotations, spec.Process.Env)
	if err != nil {
		return nil, err
	}
	job, err := existingJob(spec.Process.Env, c.Step)
	if err != nil {
		return nil, err
	}
	r := &record{Key: newKey(c.ID), Job: job, Ours: job == "", UID: d.who().uid, Bin: d.settings.Bin, Conf: d.settings.Conf}
	cmd, err := d.plan(ctx, c, spec, r, wishes)
	if err != nil {
		return nil, errors.Join(err, d.undo(ctx, c, r))
	}
	return cmd, nil
}

// undo removes what a Run that fails has made: its job, too, where it has made one itself.
func (d *driver) undo(ctx context.Context, c *sdk.Container, r *record) error {
	var failed []error
	if d.settings.Staging == stageSbcast && r.Staged != "" {
		ctx, cancel := limit.WithTimeout(context.WithoutCancel(ctx), undoTime, "not undone")
		defer cancel()
		if r.Node != "" {
			d.clearNodes(ctx, r)
		}
		if r.Ours {
			failed = append(failed, d.cancel(ctx, c, r))
		}
	}
	return errors.Join(append(failed, unstage(r.Staged), forget(c.Root))...)
}

// undoTime is how long that may take, where the time of Run itself may be over.
const undoTime = 4 * time.Second

func (d *driver) plan(ctx context.Context, c *sdk.Container, spec *specs.Spec, r *record, w wishes) (*sdk.Command, error) {
	p := newPortable(d.settings, spec, d.who())
	if err := p.adapt(); err != nil {
		return nil, err
	}
	stage := d.stage
	if d.settings.Staging == stageSbcast {
		stage = d.broadcast
	}
	if err := stage(ctx, c, r, p, w); err != nil {
		return nil, err
	}
	return d.srun(c, r, p, w)
}

// checkRequest refuses what has no meaning on another node.
func (d *driver) checkRequest(c *sdk.Container) error {
	switch {
	case c.Step != nil && c.Step.Node != "":
		return sdk.WithAdvice(
			sdk.Mark(errors.New("this container is a job's task already"), sdk.ErrUnsupported),
			"choose a driver that runs containers on the compute node, by a rule or default_driver in its berth.toml")
	case c.IO.ConsoleSocket != "" || c.IO.PidFile != "" || c.IO.Detach:
		return sdk.Mark(errors.New("srun runs in the foreground, on the streams of its caller"), sdk.ErrUnsupported)
	case c.Files > 0:
		return sdk.Mark(fmt.Errorf("the program needs %d more descriptors, and they do not reach another node", c.Files), sdk.ErrUnsupported)
	}
	if err := d.checkRoot(); err != nil {
		return err
	}
	return d.present()
}

// jobVariable is the variable of an allocation: of the container's, which engines pass on from their
// caller where they are told so, and of berth's caller.
const jobVariable = "SLURM_JOB_ID"

// existingJob is the allocation in which the container is to run, "" where it is to have its own.
func existingJob(env []string, within *sdk.Step) (string, error) {
	job := cmp.Or(variable(env, jobVariable), os.Getenv(jobVariable))
	if within != nil {
		job = cmp.Or(job, within.Job)
	}
	if job != "" && !isNumber(job) {
		return "", sdk.Mark(fmt.Errorf("variable %s: %q is no job", jobVariable, job), sdk.ErrInvalid)
	}
	return job, nil
}

func variable(env []string, name string) string {
	for _, entry := range env {
		if value, ok := strings.CutPrefix(entry, name+"="); ok {
			return value
		}
	}
	return ""
}

// newKey is a name that no other container of the cluster has, and that says which one it is.
func newKey(id string) string { return "berth-" + id + "-" + strings.ToLower(rand.Text()[:16]) }
