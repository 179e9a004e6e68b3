package slurm

import (
	"errors"
	"syscall"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/sdk"
)

// CallbackLimit is how long Slurm is kept waiting by query, kill and delete: while they run the step
// cannot end, and a node whose steps do not end is drained (UnkillableStepTimeout). That is a limit of
// Slurm's own, so this one does not grow with the load. What it ends is for the user's next step here: see
// sweepAbandoned.
const CallbackLimit = 8 * time.Second

// CallbackGrace is what a call that does not even notice that gets before its process ends.
const CallbackGrace = time.Second

// Query tells the state of a task's container, or of all of a step's: running where one is. It is
// "stopped" where there is none, so that Slurm goes on to delete without complaining to the job.
func Query(h *dispatch.Host, t Task) (*specs.State, error) {
	if err := t.check(); err != nil {
		return nil, err
	}
	ids, err := t.containers(h)
	if err != nil {
		return nil, err
	}
	answer := Stopped(t)
	for _, id := range ids {
		state, err := h.State(id)
		if errors.Is(err, sdk.ErrNotFound) {
			continue
		}
		if err != nil {
			h.Log.Warn("asking for a container's state", "id", id, "error", err)
			continue // delete will see to it
		}
		answer.Bundle, answer.Annotations = state.Bundle, state.Annotations
		if state.Status != specs.StateStopped {
			answer.Status, answer.Pid = specs.StateRunning, state.Pid
			break
		}
	}
	return answer, nil
}

// Kill ends every process of a task's container, or of all of a step's.
func Kill(h *dispatch.Host, t Task) error {
	return t.each(h, func(id string) error {
		err := h.Kill(id, syscall.SIGKILL, true)
		if errors.Is(err, sdk.ErrUnsupported) {
			err = h.Kill(id, syscall.SIGKILL, false)
		}
		return err
	})
}

// Delete removes a task's container, or all of a step's, whatever state they are in, and with the
// last of them what was prepared for the step. There being none is no error. Afterwards it removes what
// is left of other steps of the user here whose slurmstepd was killed, so that nobody calls for them;
// that failing is no error either.
func Delete(h *dispatch.Host, t Task) error {
	err := t.each(h, func(id string) error {
		accountEnd(h, t, id)
		return h.Delete(id, true)
	})
	if err == nil {
		err = release(h, t)
	}
	sweepAbandoned(h)
	return err
}

// release undoes what was prepared for the step, once its last container here is gone.
func release(h *dispatch.Host, t Task) error {
	all := t
	all.Task = All
	if left, err := all.containers(h); err != nil || len(left) > 0 {
		return err
	}
	return h.ReleaseStep(&sdk.Step{Job: t.Job, Step: t.Step, Node: t.Node})
}

// What one call spends on the containers of others: how many it looks at, and when it begins with
// no further one. It deletes one at least, however slow the node is, and the next calls the others.
const (
	sweepLimit = 64
	sweepTime  = 500 * time.Millisecond
)

func sweepAbandoned(h *dispatch.Host) {
	ids, err := h.Abandoned(sweepLimit)
	if err != nil {
		h.Log.Warn("looking for what killed steps have left", "error", err)
	}
	end := time.Now().Add(sweepTime)
	someOf(ids, func() bool { return time.Now().After(end) }, func(id string, t Task) {
		accountEnd(h, t, id)
		if err := h.Delete(id, true); err != nil {
			h.Log.Warn("deleting what a killed step has left", "id", id, "error", err)
		}
	})
}

// someOf calls do with the IDs of tasks' containers, at least with one, until over says so.
func someOf(ids []string, over func() bool, do func(id string, t Task)) {
	for _, id := range ids {
		t, ours := taskOf(id)
		if !ours {
			continue
		}
		do(id, t)
		if over() {
			return
		}
	}
}

// each does something to every container of the task, also after one has failed; one that is gone or
// has stopped meanwhile is no failure.
func (t Task) each(h *dispatch.Host, do func(id string) error) error {
	if err := t.check(); err != nil {
		return err
	}
	ids, err := t.containers(h)
	if err != nil {
		return err
	}
	var failed []error
	for _, id := range ids {
		err := do(id)
		if err != nil && !errors.Is(err, sdk.ErrNotFound) && !errors.Is(err, sdk.ErrState) {
			failed = append(failed, err)
		}
	}
	return errors.Join(failed...)
}

// Stopped is the answer to Query about a step that has no container here.
func Stopped(t Task) *specs.State {
	return &specs.State{Version: specs.Version, ID: t.id(t.Task), Status: specs.StateStopped}
}
