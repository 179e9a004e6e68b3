package dispatch

import (
	"cmp"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/config"
	"github.com/berth-hpc/berth/sdk"
)

// Request asks for a new container: the same for every front door.
type Request struct {
	ID     string
	Bundle string         // directory of the OCI bundle
	Loaded *bundle.Bundle // of that directory, where the caller has read it already
	Driver string         // what --driver says; empty: nothing

	Args                []string // replace the bundle's command; nil keeps it
	Env                 []string // NAME=VALUE, set or replaced one by one
	Workdir             string
	Mounts              []bundle.Mount
	Devices             []string       // by name, see cdi.ValidateName
	Shared              []bundle.Mount // berth's own, which policy does not judge: see bundle.Options
	Terminal            *bool          // nil keeps the bundle's
	Init                bool           // keep berth-init as process 1
	Signals             string         // "direct" or "forward", for Init; empty: berth-init's default
	EndWithRuntime      bool           // for Init, of a runtime in the foreground: the container does not outlive it
	PID                 int            // see bundle.Options
	ByName              bool           // look in the container for a command that the node found
	WorkdirMayBeMissing bool           // then it is the bundle's own

	Files       int // descriptors 3…3+n-1 to pass on
	IO          sdk.IO
	Log         sdk.Log
	Step        *sdk.Step // nil outside a job, and where the job itself calls berth
	Within      *sdk.Step // the step that calls berth, the end of which nobody tells berth; nil: none, or Step is set
	Launch      string    // outside a job: the name of the launch that the container is a task of; empty: of its own
	ContainerID string    // the name that the job gave its container, for the record

	// Trusted: who asks may do without berth what the bundle says, so that policy does not judge it.
	Trusted bool
	// AsIs: a driver that creates and starts gets Bundle itself, not an effective one, unless ociVersion
	// has to be lowered. With another driver the answer is ErrOnlyRuns.
	AsIs bool

	// Match is what rules are matched against. Its Container is what the user calls the bundle, where
	// Bundle is somebody's copy of it; empty: Bundle.
	Match config.Request
	// DeletePromised: the front door will delete the container; no hook does.
	DeletePromised bool
	// Keeper is the process that will see to that, 0 where it is not known.
	Keeper int
}

// within is the step that the container runs in, or nil outside a job.
func (r *Request) within() *sdk.Step { return cmp.Or(r.Step, r.Within) }

// forDriver is within as a driver is told it.
func (r *Request) forDriver() *sdk.Step {
	if r.Step != nil || r.Within == nil {
		return r.Step
	}
	s := *r.Within
	s.Node = ""
	return &s
}

// container is what the user calls the bundle.
func (r *Request) container() string { return cmp.Or(r.Match.Container, r.Bundle) }
