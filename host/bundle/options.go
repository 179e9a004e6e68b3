package bundle

import (
	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/host/cdi"
)

// Options is what the effective document has to be beyond what the bundle says.
type Options struct {
	Caller   Caller
	Rootless bool // the effective uid is not 0
	Slurm    bool // within a job, whose cgroup holds the limits

	Args                []string           // replace the bundle's command; nil keeps it
	Env                 []string           // NAME=VALUE, set or replaced one by one
	Workdir             string             // absolute; empty keeps the bundle's
	WorkdirMayBeMissing bool               // have berth-init go to Workdir if it is there, else stay in the bundle's
	Mounts              []Mount            // after the bundle's own
	Devices             *cdi.Devices       // what they add comes before Env and Mounts; nil: none
	Shared              []Mount            // directories of the node, or empty ones where there is no Source, after all others and where the container has a place for them
	Terminal            *bool              // nil keeps the bundle's
	Umask               *int               // the task's own, for the process unless the bundle names one; nil: unknown
	OpenFiles           *specs.POSIXRlimit // the task's own limit of open files, for the process unless the bundle names one; nil: unknown
	Rows, Columns       int                // size of the caller's terminal, for a container that gets one; 0: unknown

	InitPath       string // absolute path of berth-init on the node; empty: leave it out
	Init           bool   // it stays as process 1
	Signals        string // "direct" or "forward", for Init; empty: berth-init's default
	EndWithRuntime bool   // for Init: it dies with the process that starts it, a runtime in the foreground. Rootless only: a thread of root's runc ends before its time
	StatusFile     string // absolute path on the node of an existing file that gets the exit status, for Init; the container's process must be able to write it
	PID            int    // process id of the command, for Init in a pid namespace of the container's own; 0: any
	ByName         bool   // retry a command's path that is missing by its base name

	Poststop       []string          // command of a poststop hook, [0] absolute; nil: none
	SetAnnotations map[string]string // added or replaced
}

// Mount is a file or directory of the node that the container sees as well.
type Mount struct {
	Source      string   // absolute path on the node
	Destination string   // absolute path in the container
	Options     []string // mount options of config.json ("ro"); "rbind" is added where no bind is named
}

// Range is a run of user or group ids.
type Range struct {
	First, Count int
}
