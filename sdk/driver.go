package sdk

import "context"

// Driver runs OCI bundles with one container runtime.
//
// The methods of a driver are never called two at a time, and a driver's process ends soon, after
// one request or a few: keep no state in it. Every method must return soon after ctx is done.
type Driver interface {
	// Run readies the container and returns the command that becomes it: the host replaces
	// itself with that command, so its exit status is the job's. Run must leave no process
	// behind and must not touch the standard streams: they belong to the job.
	//
	// It may change the bundle, which is private to this container. It is called at most
	// once for a container.
	//
	// ErrInvalid: the bundle asks for something that makes no sense.
	// ErrUnsupported: the bundle asks for something this runtime cannot do, or the driver
	// has no single command for it and implements Creator instead.
	// ErrUnavailable: the runtime is missing or cannot work on this node.
	Run(ctx context.Context, c *Container) (*Command, error)
}

// Command is one execve(2), without a shell.
type Command struct {
	Path string   // absolute path of the program
	Args []string // argv, Args[0] included
	Env  []string // the complete environment, NAME=VALUE; nothing is inherited
	Dir  string   // working directory; empty keeps the task's own
}
