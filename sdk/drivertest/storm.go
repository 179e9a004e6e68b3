package drivertest

import (
	"fmt"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
)

// statuses are those that no signal ends a task with.
const statuses = 128

func stormCases() []Case {
	return []Case{{
		"storm/starts",
		"Containers started at once, sixteen for each core and at most 128, each end with their own status and output, and leave nothing.",
		"Locks, counters and temporary names that two tasks share.",
		(*trial).storm,
	}}
}

func (t *trial) storm() {
	tasks := make([]*task, t.cfg.Starts)
	for i := range tasks {
		c := t.container([]string{"say-exit", fmt.Sprintf("task %d\n", i), fmt.Sprint(i % statuses)})
		tasks[i] = c.launch(launcher.Request{}, streams{})
		tasks[i].stdin.Close()
	}
	for i, task := range tasks {
		if status := task.wait(); status != i%statuses {
			t.Errorf("task %d: %s", i, task.describe())
		} else if out := task.out.String(); out != fmt.Sprintf("task %d\n", i) {
			t.Errorf("task %d wrote %q", i, clip(out))
		}
	}
}
