package sdk

import (
	"context"
	"encoding/json"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// Configurer is implemented by drivers that have settings.
type Configurer interface {
	// Settings returns a pointer to the struct that receives the driver's table of
	// berth.toml, filled with the defaults. It is filled before any other method is called.
	// Each field names its key and says what it is for:
	//
	//	Runtime string `json:"runtime" doc:"absolute path of crun"`
	//
	// A key that no field names is refused. When the struct has a method Validate() error
	// it is called afterwards; let it return a SettingError to have the key's line shown.
	Settings() any
}

// Chooser is implemented by drivers that are one of several, by a setting: what a driver can do is
// read off its type, and where a runtime has modes of which one keeps state of containers and the
// other does not, each is a type of its own.
type Chooser interface {
	// Choose returns the driver that answers, itself included. It is called once Settings has
	// been filled, before anything else, and looks at nothing but these. The other driver's own
	// Settings and Choose, where it has them, are not called.
	Choose() Driver
}

// Checker is implemented by drivers that can tell whether they would work on this node.
type Checker interface {
	// Check looks at the node and changes nothing; it runs no container. It returns what it
	// found of the runtime even where it also returns an error.
	//
	// ErrUnavailable: the runtime cannot work here; say with WithAdvice what the
	// administrator should do.
	Check(ctx context.Context) (*Runtime, error)
}

// Runtime is what a driver found of its runtime on this node.
type Runtime struct {
	Name    string // "crun"
	Path    string // absolute path of the program; empty where there is none
	Version string // "1.8.1"; empty where unknown
}

// StatusPaused is the status of a paused container, which the OCI runtime specification has no
// constant for (runtime.md allows further values).
const StatusPaused specs.ContainerState = "paused"

// ExitStatusAnnotation is the annotation by which State tells the exit status of a stopped container, in
// decimal, for runtimes whose containers are children of a monitor of their own.
const ExitStatusAnnotation = "org.berth.exit-status"

// Lifecycle is implemented by drivers whose runtime keeps its own state of containers. For
// drivers without it the host answers from its records.
type Lifecycle interface {
	// State answers for a container in any phase. ErrNotFound: the runtime knows none of
	// this ID.
	State(ctx context.Context, c *Container) (*specs.State, error)

	// Kill sends one signal to the container's first process, or with all to every process
	// in it. ErrNotFound: unknown ID. ErrState: the container is not created or running.
	Kill(ctx context.Context, c *Container, sig syscall.Signal, all bool) error

	// Delete removes what the runtime keeps of a stopped container; with force it ends a
	// running one first, and an unknown ID is no error. ErrNotFound: unknown ID. ErrState:
	// the container is running.
	Delete(ctx context.Context, c *Container, force bool) error
}

// Creator is implemented by drivers whose runtime has the two steps of the OCI runtime
// specification.
type Creator interface {
	// Create returns the command that creates the container and then ends. The host
	// executes it with the job's standard streams, which the container keeps. ErrExists:
	// the ID is taken.
	Create(ctx context.Context, c *Container) (*Command, error)

	// Start runs the program of a created container. ErrNotFound: unknown ID. ErrState: it
	// is not in the state "created".
	Start(ctx context.Context, c *Container) error
}

// Execer is implemented by drivers that can run a further program in a running container.
type Execer interface {
	// Exec returns the command that becomes the program. ErrNotFound: unknown ID. ErrState:
	// the container has stopped, or the runtime takes no further program before its start.
	Exec(ctx context.Context, c *Container, p *Process) (*Command, error)
}

// Pauser is implemented by drivers that can stop all processes of a container for a while.
type Pauser interface {
	// Pause stops them. ErrState: the container is not running.
	Pause(ctx context.Context, c *Container) error
	// Resume lets them go on. ErrState: the container is not paused.
	Resume(ctx context.Context, c *Container) error
}

// Updater is implemented by drivers that can change the limits of a container that is there.
type Updater interface {
	// Update sets the limits that resources names, an object as linux.resources of the OCI runtime
	// specification (config-linux.md, "Control groups"), and leaves the others. ErrInvalid: it is
	// no such object. ErrNotFound: unknown ID. ErrState: the container has stopped.
	// ErrUnavailable: it has no control group of its own, or none that this user may change.
	Update(ctx context.Context, c *Container, resources json.RawMessage) error
}

// Preparer is implemented by drivers with work that all tasks of a step on a node share, such as
// importing an image.
type Preparer interface {
	// Prepare is called once per step and node, before the first Run or Create, under the
	// host's lock; the other tasks wait for it and get its result. c is the container of the task
	// that leads; c.Step is never nil here, and what is made belongs below c.Step.Dir. It
	// must be able to take over from a Prepare that died half-way.
	Prepare(ctx context.Context, c *Container, progress func(Progress)) error

	// Release undoes Prepare. It is safe to call twice, and after a crash half-way.
	Release(ctx context.Context, s *Step) error
}

// Imager is implemented by drivers that take a file as root.path, an image, and not only a directory.
type Imager interface {
	// Images names the kinds of file, ImageSquashFS and ImageSIF. Where another driver has
	// refused an image, the host tells the user which drivers take it.
	Images() []string
}

// The kinds of image that are files.
const (
	ImageSquashFS = "squashfs" // SquashFS 4, which begins with "hsqs"
	ImageSIF      = "sif"      // Singularity Image Format, with "SIF_MAGIC" behind its launch line
)

// Progress is how far a Prepare has come.
type Progress struct {
	Text  string // what is being done, without a full stop: "importing image"
	Done  int64  // bytes done
	Total int64  // bytes in all; 0 where unknown
}
