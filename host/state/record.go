package state

import (
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"time"
	"unicode/utf8"

	"github.com/berth-hpc/berth/sdk"
)

// Version is the version of the record's format that this package writes and reads.
const Version = 1

// Record is what berth remembers of a container. Pid to PidNamespace identify its process beyond
// doubt: pids are used again, but not with the same start time in the same boot.
type Record struct {
	Version int    `json:"version"`
	ID      string `json:"id"`
	Driver  string `json:"driver"` // name of the driver
	Bundle  string `json:"bundle"` // absolute; as the caller gave it

	UID          int    `json:"uid"`          // whose container it is; of the root of a user namespace, who that is outside
	Pid          int    `json:"pid"`          // of the process that is, or becomes, the container; in PidNamespace
	StartTime    uint64 `json:"startTime"`    // of that process, in clock ticks since boot (proc_pid_stat(5), field 22)
	BootID       string `json:"bootId"`       // /proc/sys/kernel/random/boot_id
	PidNamespace uint64 `json:"pidNamespace"` // inode of /proc/self/ns/pid

	Created   time.Time `json:"created"`
	Operation string    `json:"operation"`          // what made it: "run", "create" or ByAnchor
	Creating  bool      `json:"creating,omitempty"` // the host still readies it
	Kept      bool      `json:"kept,omitempty"`     // whoever made it will delete it, and ask for its state until then

	KeeperPid       int    `json:"keeperPid,omitempty"` // of the process that promised it, in PidNamespace; 0: unknown
	KeeperStartTime uint64 `json:"keeperStartTime,omitempty"`

	Job         string `json:"job,omitempty"` // the cluster's job, as the cluster writes it; "" outside one
	Step        string `json:"step,omitempty"`
	Task        int    `json:"task,omitempty"` // within the step on this node, from 0
	Node        string `json:"node,omitempty"`
	ContainerID string `json:"containerId,omitempty"` // Slurm's --container-id

	Prepared string `json:"prepared,omitempty"` // the name of the step that was prepared for it; see Root.Step
}

// ByAnchor is the Operation of containers of a runtime that keeps no state of created ones.
const ByAnchor = "anchor"

// NewRecord returns a record of the process pid with everything that identifies it, and of now. The
// caller adds the rest. sdk.ErrState: there is no such process. sdk.ErrUnavailable: /proc or
// the kernel does not tell.
func NewRecord(pid int) (Record, error) {
	rec, err := identify(pid)
	if err != nil {
		return Record{}, fmt.Errorf("identifying process %d: %w", pid, err)
	}
	rec.Version = Version
	rec.Created = time.Now().Round(0) // the wall clock alone: the rest means nothing to others
	return rec, nil
}

// WriteRecord replaces the record; see WriteFile. ID, UID and Version are the directory's and this
// package's whatever rec says, except that a hidden directory takes rec's ID.
func (d *Dir) WriteRecord(rec Record) error {
	rec.Version, rec.UID = Version, known(d.uid)
	if !hidden(d.name) {
		rec.ID = d.name
	}
	data, err := encode(rec)
	if err != nil {
		return fmt.Errorf("writing the record of container %q: %w", rec.ID, err)
	}
	return d.WriteFile(recordFile, data)
}

// Record reads the record.
//
// *CorruptError, an sdk.ErrState: it is not a record that WriteRecord wrote into this directory.
// sdk.ErrNotFound: there is none, because the container is just being removed or its removal was cut
// short.
func (d *Dir) Record() (Record, error) {
	data, err := d.readSmall(recordFile, maxRecord)
	if err != nil {
		return Record{}, err
	}
	rec, err := decode(data)
	switch {
	case err != nil:
	case rec.ID != d.name && !hidden(d.name):
		err = fmt.Errorf("it is of container %q", rec.ID)
	case rec.UID != known(d.uid):
		err = fmt.Errorf("it is of uid %d, the directory of uid %d", rec.UID, known(d.uid))
	}
	if err != nil {
		return Record{}, &CorruptError{Path: filepath.Join(d.path, recordFile), Err: err}
	}
	return rec, nil
}

// CorruptError says that a record cannot be believed. It is an sdk.ErrState: what the container does
// is unknown until somebody deletes it by force.
type CorruptError struct {
	Path string // of the record
	Err  error  // what is wrong with it
}

func (e *CorruptError) Error() string { return fmt.Sprintf("record %q is damaged: %v", e.Path, e.Err) }

// Unwrap returns the cause and sdk.ErrState.
func (e *CorruptError) Unwrap() []error { return []error{e.Err, sdk.ErrState} }

// validate says what in a record WriteRecord would not have written.
func (r *Record) validate() error {
	if err := sdk.ValidateID(r.ID); err != nil {
		return errors.New(err.Error()) // the record is damaged, not the request
	}
	switch {
	case r.Pid <= 0:
		return fmt.Errorf("pid %d", r.Pid)
	case r.UID < 0:
		return fmt.Errorf("uid %d", r.UID)
	case r.BootID == "" || r.PidNamespace == 0 || r.StartTime == 0 && r.Pid != 1:
		return errors.New("it does not identify a process")
	case r.Task < 0:
		return fmt.Errorf("task %d", r.Task)
	case !utf8.ValidString(strings.Join([]string{r.Driver, r.Bundle, r.Operation, r.Job, r.Step, r.Node, r.ContainerID, r.Prepared}, "/")):
		return errors.New("it holds text that is not UTF-8, which JSON cannot keep")
	}
	return nil
}
