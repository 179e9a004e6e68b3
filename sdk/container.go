package sdk

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Container is what every request about one container carries.
//
// Once the container's process has ended, the host takes it for dead where Root is empty, and asks the
// driver where it is not. A runtime whose state is kept elsewhere leaves a file in Root meanwhile.
type Container struct {
	ID          string            // unique on the node for this user; see ValidateID
	Bundle      string            // absolute; private to this container and writable
	Root        string            // absolute; where the runtime keeps its own state (--root); exists, mode 0700; see below
	Annotations map[string]string // of the effective config.json
	Pid         int               // the container's process as the host knows it; 0 when it does not
	Umask       int               // the task's own, which a command that sets none leaves to the program
	Files       int               // extra descriptors 3…3+n-1 to pass through (PMI, preserve-fds)
	IO          IO                // what create's callers ask for
	Log         Log               // where a caller wants the runtime's log
	Step        *Step             // nil outside a job, unless the driver is a Preparer: then the container is a step by itself
}

// IO is what callers of create and exec ask of the runtime's input and output. Paths are absolute.
type IO struct {
	ConsoleSocket string // unix socket that takes the pty's master (SCM_RIGHTS); empty: none
	PidFile       string // file that takes the process's pid in decimal; empty: none
	Detach        bool   // return once the process runs, instead of becoming it
	NoPivot       bool   // MS_MOVE and chroot instead of pivot_root, for a root file system on a ramdisk
	NoNewKeyring  bool   // keep the caller's session keyring
	CgroupManager string // who makes the control group: "cgroupfs", "systemd", or "disabled" for nobody; empty: as the site says
}

// Log is where a caller wants the runtime's own messages, apart from the job's stderr.
type Log struct {
	Path   string // absolute; empty: the runtime's default, its stderr
	Format string // "text" or "json"; empty: the runtime's default
	Debug  bool   // ask the runtime for its debug messages
}

// Step is the part of a cluster's job that a container belongs to: the tasks of one step on one
// node share its directory.
type Step struct {
	Job   string   // job ID as the cluster writes it
	Step  string   // step ID as the cluster writes it
	Task  int      // task number within the step on this node, from 0
	Tasks int      // tasks of the step on this node
	Node  string   // the node's name in the cluster; empty where not the cluster starts the container, but a task that calls berth
	Dir   string   // absolute; private to the user, shared by the step's tasks on this node; empty where the driver is no Preparer
	Env   []string // the job's environment, NAME=VALUE: which GPUs, which options
}

// Process is a further program for a running container.
type Process struct {
	Spec  json.RawMessage // process.json as the OCI runtime specification's "process" object
	IO    IO
	Files int // extra descriptors 3…3+n-1 to pass through
}

// ConfigFile is the name of a bundle's configuration (OCI runtime specification, bundle.md).
const ConfigFile = "config.json"

// Spec reads the effective config.json of the bundle into the typed view of the runtime
// specification. It is a view: keys that the type does not know are absent from it, so edit the
// file itself rather than write a Spec back. Its Process, Root and Linux are never nil. ErrInvalid where
// it cannot be read.
func (c *Container) Spec() (*specs.Spec, error) {
	var spec specs.Spec
	if err := c.Decode(&spec); err != nil {
		return nil, err
	}
	if spec.Process == nil || spec.Root == nil || spec.Linux == nil {
		return nil, fmt.Errorf("the effective config.json has no process, root or linux: %w", ErrInvalid)
	}
	return &spec, nil
}

// Decode reads the effective config.json of the bundle into v, as json.Unmarshal does. Where a driver
// looks at a few fields, a struct of these alone spares it the millisecond that the whole
// specification's types cost a process at their first use. ErrInvalid where it cannot be read.
func (c *Container) Decode(v any) error {
	data, err := os.ReadFile(filepath.Join(c.Bundle, ConfigFile))
	if err != nil {
		return fmt.Errorf("reading the effective bundle: %w", Mark(err, ErrInvalid))
	}
	if err := json.Unmarshal(data, v); err != nil {
		return fmt.Errorf("parsing the effective config.json: %w", Mark(err, ErrInvalid))
	}
	return nil
}
