package drivertest

import (
	"fmt"

	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
)

// stormSize is how many tasks a large node starts at once.
const stormSize = 128

func stormCases() []Case {
	return []Case{{
		"storm/starts",
		"128 containers started at once each end with their own status and output, and leave nothing.",
		"Locks, counters and temporary names that two tasks share.",
		(*trial).storm,
	}}
}

func (t *trial) storm() {
	tasks := make([]*task, stormSize)
	for i := range tasks {
		c := t.container([]string{"say-exit", fmt.Sprintf("task %d\n", i), fmt.Sprint(i)})
		tasks[i] = c.launch(launcher.Request{}, streams{})
		tasks[i].stdin.Close()
	}
	for i, task := range tasks {
		if status := task.wait(); status != i {
			t.Errorf("task %d: %s", i, task.describe())
		} else if out := task.out.String(); out != fmt.Sprintf("task %d\n", i) {
			t.Errorf("task %d wrote %q", i, clip(out))
		}
	}
}
