package dispatch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// localJob is the job of containers outside a cluster: each launch is a step of it.
const localJob = "berth"

// stepName names what is shared by the tasks of a step on this node.
func stepName(s *sdk.Step) string { return s.Job + "." + s.Step + "." + s.Node }

// step is the step that a container is prepared in: that whose end berth is told of, or else the launch.
func (r *Request) step() *sdk.Step {
	if r.Step != nil {
		s := *r.Step
		return &s
	}
	launch := r.Launch
	if launch == "" {
		launch = r.ID
	}
	s := launchStep(launch)
	if r.Within != nil {
		s.Env = r.Within.Env
	}
	return s
}

// launchStep is the step of containers that are launched outside of a cluster.
func launchStep(launch string) *sdk.Step {
	node, _ := os.Hostname()
	return &sdk.Step{Job: localJob, Step: launch, Tasks: 1, Node: node}
}

// prepared gives c the step that its driver has prepared. The first task that comes has the driver do
// it, under the step's lock; the others wait for it and share what came of it. Where the first dies
// half-way the next takes its place.
func (p *Plan) prepared(c *sdk.Container, r *Request, d *Driver) error {
	step := r.step()
	name := stepName(step)
	p.record.Prepared = name // before anything is made, so that nobody takes the step for over
	if err := p.dir.WriteRecord(p.record); err != nil {
		return fmt.Errorf("recording the container: %w", err)
	}
	ctx, cancel := limit.WithTimeout(p.host.Guard.Context(), p.host.Config.Deadlines.Prepare, "not prepared")
	defer cancel()
	shared, err := p.host.lead(ctx, name, func(s *state.Step) error { return p.host.prepare(ctx, s, *c, step, d.Name) })
	if err != nil {
		return fmt.Errorf("driver %q: preparing step %s: %w", d.Name, name, err)
	}
	step.Dir = shared
	c.Step = step
	return nil
}

// lead returns the directory of what is prepared for the step of that name, once it is. prepare is
// called where nobody has prepared it, with the step's lock held.
func (h *Host) lead(ctx context.Context, name string, prepare func(*state.Step) error) (string, error) {
	root, err := h.Root()
	if err != nil {
		return "", err
	}
	const longest = 50 * time.Millisecond
	for pause := time.Millisecond; ; pause = min(2*pause, longest) {
		shared, err := h.tryLead(root, name, prepare)
		if shared != "" || err != nil {
			return shared, err
		}
		select {
		case <-ctx.Done():
			return "", context.Cause(ctx)
		case <-time.After(pause):
		}
	}
}

// tryLead returns "" while another task is at it.
func (h *Host) tryLead(root *state.Root, name string, prepare func(*state.Step) error) (string, error) {
	s, err := root.Step(name)
	if err != nil {
		return "", err
	}
	defer s.Close()
	locked, err := s.TryLock()
	if errors.Is(err, sdk.ErrNotFound) {
		return "", nil // it is just being released: make it anew
	}
	if err != nil {
		return "", err
	}
	note, err := s.Note()
	switch {
	case err != nil && !errors.Is(err, sdk.ErrNotFound):
		return "", err
	case note.Failed != "":
		return "", sdk.Mark(errors.New(note.Failed), sdk.ErrUnavailable)
	case note.Done:
		return s.Shared()
	case !locked:
		return "", nil
	}
	if err := prepare(s); err != nil {
		return "", err
	}
	return s.Shared()
}

// prepare has the driver do the shared work, and notes what came of it for the other tasks. What was cut
// short by a signal or the deadline is left for another task to take up.
func (h *Host) prepare(ctx context.Context, s *state.Step, c sdk.Container, step *sdk.Step, driver string) error {
	if err := h.releaseStale(ctx, staleLimit); err != nil {
		h.Log.Warn("releasing what earlier steps have left", "error", err)
	}
	note := state.Note{Driver: driver, Step: *step}
	note.Step.Env = nil // whoever releases the step has no use for it
	if err := s.WriteNote(note); err != nil {
		return err
	}
	shared, err := s.Shared()
	if err != nil {
		return err
	}
	own := *step
	own.Dir = shared
	c.Step = &own
	d, err := h.openPreparer(ctx, driver)
	if err != nil {
		return err
	}
	defer d.Close()
	report, done := h.reportProgress()
	err = d.Prepare(ctx, &c, report)
	done()
	switch {
	case err != nil && ctx.Err() != nil:
		return err
	case err != nil:
		note.Failed = err.Error()
	default:
		note.Done = true
	}
	return errors.Join(h.explain(driver, err), s.WriteNote(note))
}

// reportProgress is what shows a person how far the shared work has come.
func (h *Host) reportProgress() (report func(sdk.Progress), done func()) {
	if h.Progress == nil {
		return func(sdk.Progress) {}, func() {}
	}
	return h.Progress()
}
