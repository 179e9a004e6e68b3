package slurm

import (
	"fmt"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/host/dispatch"
	"github.com/berth-hpc/berth/sdk"
)

// Task is how oci.conf names a task: by patterns that hold numbers and the node's name only.
type Task struct {
	Job  string // %j
	Step string // %s, decimal for the batch step too
	Task int    // %t, local to the node; -1 for all tasks of the step
	Node string // %n
}

// All is the number of a task that stands for all tasks of the step on this node.
const All = -1

// check says whether the names can be part of a container's ID.
func (t Task) check() error {
	for what, value := range map[string]string{"job": t.Job, "step": t.Step} {
		if value == "" || strings.Trim(value, "0123456789") != "" {
			return sdk.Mark(fmt.Errorf("--%s %q is not a number", what, value), sdk.ErrInvalid)
		}
	}
	if t.Task < All {
		return sdk.Mark(fmt.Errorf("--task %d is not a task", t.Task), sdk.ErrInvalid)
	}
	return sdk.ValidateID(t.id(0))
}

// id is the ID of the container of one task. The node's name is part of it because several slurmd
// can serve one machine.
func (t Task) id(task int) string {
	return fmt.Sprintf("%s.%s.%d.%s", t.Job, t.Step, task, t.Node)
}

// taskOf is the task whose container has this ID.
func taskOf(id string) (t Task, ours bool) {
	parts := strings.SplitN(id, ".", 4)
	if len(parts) != 4 {
		return Task{}, false
	}
	number, err := strconv.Atoi(parts[2])
	t = Task{Job: parts[0], Step: parts[1], Task: number, Node: parts[3]}
	return t, err == nil && number >= 0 && t.check() == nil && t.id(number) == id
}

// owns says whether a container's ID belongs to the task, or to the step where Task is All.
func (t Task) owns(id string) bool {
	if t.Task != All {
		return id == t.id(t.Task)
	}
	rest, ours := strings.CutPrefix(id, t.Job+"."+t.Step+".")
	number, ours2 := strings.CutSuffix(rest, "."+t.Node)
	return ours && ours2 && number != "" && strings.Trim(number, "0123456789") == ""
}

// containers lists the IDs of the task's containers, or of all tasks of the step.
func (t Task) containers(h *dispatch.Host) ([]string, error) {
	ids, err := h.IDs()
	if err != nil {
		return nil, err
	}
	var ours []string
	for _, id := range ids {
		if t.owns(id) {
			ours = append(ours, id)
		}
	}
	return ours, nil
}
