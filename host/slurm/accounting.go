package slurm

import (
	"encoding/json"
	"fmt"
	"log/syslog"
	"os"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/dispatch"
)

// event is one line of the accounting: a container's start, or its end as its deletion finds it.
type event struct {
	Event       string `json:"event"` // "start" or "end"
	Time        string `json:"time"`  // RFC 3339, UTC
	Job         string `json:"job"`
	Step        string `json:"step"`
	Task        int    `json:"task"`
	Node        string `json:"node"`
	UID         int    `json:"uid"`
	Driver      string `json:"driver"`
	Runtime     string `json:"runtime,omitempty"` // its version, where the driver tells; at the end only
	Bundle      string `json:"bundle"`
	ContainerID string `json:"containerId,omitempty"` // what --container-id said
	Started     string `json:"started,omitempty"`     // at the end
	Status      string `json:"status,omitempty"`      // at the end, where berth-init saw it
}

// accountStart writes the line of a container that is about to run.
func accountStart(h *dispatch.Host, l Launch, p *dispatch.Plan, r dispatch.Request) {
	account(h, event{
		Event: "start", Job: l.Job, Step: l.Step, Task: l.Task.Task, Node: l.Node,
		Driver: p.Driver, Bundle: r.Match.Container, ContainerID: r.ContainerID,
	})
}

// accountEnd writes the line of a container that is about to be deleted.
func accountEnd(h *dispatch.Host, t Task, id string) {
	if h.Config.Slurm.Accounting == "" {
		return
	}
	e, err := h.Inspect(id)
	if err != nil {
		h.Log.Warn("accounting for a container", "id", id, "error", err)
		return
	}
	line := event{
		Event: "end", Job: t.Job, Step: t.Step, Task: e.Task, Node: t.Node, Driver: e.Driver,
		Bundle: e.Bundle, ContainerID: e.ContainerID, Status: e.ExitStatus, Started: timestamp(e.Created),
	}
	if found, err := h.CheckDriver(h.Guard.Context(), e.Driver); err == nil {
		line.Runtime = found.Version
	}
	account(h, line)
}

func timestamp(t time.Time) string { return t.UTC().Format(time.RFC3339Nano) }

// account writes a line where the site wants it. What goes wrong is logged: a job does not fail
// because nobody could note it down.
func account(h *dispatch.Host, e event) {
	target := h.Config.Slurm.Accounting
	if target == "" {
		return
	}
	e.Time, e.UID = timestamp(time.Now()), os.Geteuid()
	line, err := json.Marshal(e)
	if err == nil {
		err = write(target, line)
	}
	if err != nil {
		h.Log.Warn("accounting", "error", err)
	}
}

func write(target string, line []byte) error {
	if target == "syslog" {
		w, err := syslog.New(syslog.LOG_INFO|syslog.LOG_DAEMON, "berth")
		if err != nil {
			return err
		}
		defer w.Close()
		return w.Info(string(line))
	}
	f, err := os.OpenFile(target, os.O_WRONLY|os.O_APPEND|unix.O_NOFOLLOW|unix.O_NONBLOCK, 0)
	if err != nil {
		return err
	}
	defer f.Close()
	if _, err := f.Write(append(line, '\n')); err != nil { // one write, so that lines do not mix
		return fmt.Errorf("writing to %s: %w", target, err)
	}
	return nil
}
