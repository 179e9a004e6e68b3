package main

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// started returns the step that the container is. Where srun has not noted it, because it waits for its job
// or because the command has too many arguments for that, slurmctld is asked.
func (d *driver) started(ctx context.Context, c *sdk.Container, r *record) (step, bool, error) {
	if s, known := readStep(c.Root); known {
		return s, true, nil
	}
	job := r.Job
	if job == "" {
		var err error
		if job, err = d.find(ctx, r); job == "" || err != nil {
			return step{}, false, err
		}
	}
	out, err := d.call(ctx, "squeue", "--steps", "--noheader", "--jobs="+job, "--format=%i|%j")
	if err != nil {
		if isOver(err) {
			err = nil
		}
		return step{}, false, err
	}
	for line := range strings.Lines(out) {
		id, name, _ := strings.Cut(strings.TrimSpace(line), "|")
		number := strings.TrimPrefix(id, job+".")
		if (r.Job == "" || name == r.Key) && isNumber(number) {
			return step{job: job, number: number}, true, nil
		}
	}
	return step{}, false, nil
}

// find returns the job that srun has asked for, "" where there is none (any more).
func (d *driver) find(ctx context.Context, r *record) (string, error) {
	out, err := d.call(ctx, "squeue", "--noheader", fmt.Sprintf("--user=%d", r.UID), "--format=%i|%k")
	if err != nil {
		return "", err
	}
	for line := range strings.Lines(out) {
		if id, comment, _ := strings.Cut(strings.TrimSpace(line), "|"); comment == r.Key && isNumber(id) {
			return id, nil
		}
	}
	return "", nil
}

// isOver says whether Slurm's answer is that there is no such job or step, or that it ends already.
func isOver(err error) bool {
	return says(err, "Invalid job id", "Invalid job/step", "already completing or completed", "Job/step already")
}

// says whether Slurm's complaint has one of these texts in it.
func says(err error, texts ...string) bool {
	return err != nil && slices.ContainsFunc(texts, func(text string) bool { return strings.Contains(err.Error(), text) })
}

// spare is what a call leaves of its time to the host, for an answer.
const spare = 300 * time.Millisecond

// retry calls until it succeeds, or the time is over: then with the last error.
func retry(ctx context.Context, call func(context.Context) error) error {
	ctx, cancel := limit.Sooner(ctx, spare, "no success")
	defer cancel()
	var last error
	for {
		err := call(ctx)
		if err == nil {
			return nil
		}
		if last == nil || ctx.Err() == nil { // what the end of the time cuts short says less
			last = err
		}
		pause(ctx)
		if ctx.Err() != nil {
			return last
		}
	}
}

func pause(ctx context.Context) {
	select {
	case <-ctx.Done():
	case <-time.After(50 * time.Millisecond):
	}
}
