package dispatch

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// Entry is one container in a list.
type Entry struct {
	ID      string    `json:"id"`
	Driver  string    `json:"driver"`
	Status  string    `json:"status"` // of the OCI runtime specification, or "unknown"
	Pid     int       `json:"pid,omitempty"`
	Bundle  string    `json:"bundle"`
	Created time.Time `json:"created"`
	Job     string    `json:"job,omitempty"`
	Step    string    `json:"step,omitempty"`
	Task    int       `json:"task,omitempty"`
	Node    string    `json:"node,omitempty"`

	ContainerID string `json:"containerId,omitempty"` // the name that the job gave it
	ExitStatus  string `json:"exitStatus,omitempty"`  // decimal, where berth-init saw it; Inspect only
}

// IDs are those of all containers of this user on this node, in order.
func (h *Host) IDs() ([]string, error) {
	root, err := h.Root()
	if err != nil {
		return nil, err
	}
	ids, err := root.IDs()
	if h.GoneWithRuntime {
		ids = slices.DeleteFunc(ids, h.isGone)
	}
	return ids, err
}

// List tells of all containers of this user on this node, ordered by ID. A driver is started only
// for those of which the record alone does not tell enough.
func (h *Host) List() ([]Entry, error) {
	ids, err := h.IDs()
	if err != nil {
		return nil, err
	}
	drivers := newPool(h)
	defer drivers.close()
	list := []Entry{}
	for _, id := range ids {
		c, err := h.find(id)
		if errors.Is(err, sdk.ErrNotFound) {
			continue // gone meanwhile
		}
		if err != nil {
			h.Log.Warn("reading a container's record", "id", id, "error", err)
			list = append(list, Entry{ID: id, Status: unknown})
			continue
		}
		c.pool = drivers
		list = append(list, c.entry(h.Guard.Context()))
		c.close()
	}
	return list, nil
}

// unknown is the status of a container that cannot be told, and the exit status that nobody saw.
const unknown = "unknown"

func (c *container) entry(ctx context.Context) Entry {
	e := c.recordedEntry()
	ctx, cancel := limit.WithTimeout(ctx, c.host.Config.Deadlines.State, "no state")
	defer cancel()
	state, err := c.state(ctx)
	if err != nil {
		c.host.Log.Warn("asking for a container's state", "id", e.ID, "error", err)
		e.Status = unknown
		return e
	}
	e.Status = string(state.Status)
	if state.Status != specs.StateStopped {
		e.Pid = state.Pid
	}
	return e
}

func (c *container) recordedEntry() Entry {
	r := c.record
	return Entry{
		ID: c.dir.ID(), Driver: r.Driver, Bundle: r.Bundle, Created: r.Created,
		Job: r.Job, Step: r.Step, Task: r.Task, Node: r.Node, ContainerID: r.ContainerID,
	}
}
