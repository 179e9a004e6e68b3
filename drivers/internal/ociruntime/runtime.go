package ociruntime

import "github.com/berth-hpc/berth/sdk"

// Runtime is what the shared code has to know about one OCI runtime: the only place for what
// runtimes and their versions differ in.
type Runtime struct {
	name    string
	places  []string // where it is usually installed; the first is the default
	install string   // the command that installs it, for advice
	// logPrefix goes before the path in --log.
	logPrefix string
	// takesRootless: --rootless=auto|true|false means something to it.
	takesRootless bool
	// takesCgroupManager: it has --cgroup-manager.
	takesCgroupManager bool
	// needsOneCgroupLayout: it refuses everything on a node with the hybrid cgroup layout.
	needsOneCgroupLayout bool
	// remakesRoot: at the end of run, after the poststop hooks, it makes a missing --root anew. It
	// has changed to the bundle by then, so where a hook removes that together with a root in it,
	// a name relative to the bundle cannot be made.
	remakesRoot bool
	// givesToRoot: it makes container id 0 the owner of the program's pipes and of the fifo that
	// start writes to.
	givesToRoot bool
	// lax: it answers yes to requests that the container's state does not allow, so the
	// state has to be asked first.
	lax      bool
	messages []message
}

// Runc is runc. Tried with 1.1.5.
func Runc() Runtime {
	return Runtime{
		name:          "runc",
		places:        []string{"/usr/bin/runc", "/usr/sbin/runc", "/usr/local/bin/runc", "/usr/local/sbin/runc"},
		install:       "apt-get install runc",
		takesRootless: true,
		givesToRoot:   true,
		messages: append(kernelMessages(),
			message{"container does not exist", sdk.ErrNotFound},
			message{"container with given id already exists", sdk.ErrExists},
			message{"container * that is not stopped", sdk.ErrState},
			message{"already running container", sdk.ErrState},
			message{"container that has stopped", sdk.ErrState},
			message{"container in the paused state", sdk.ErrState},
			message{"container not running", sdk.ErrState},
			message{"container not paused", sdk.ErrState},
			message{"exec in a stopped container", sdk.ErrState},
			message{"exec in a paused container", sdk.ErrState},
			message{"cgroups not configured for container", sdk.ErrUnavailable},
			message{"can't get final child's pid from pipe", sdk.ErrUnavailable},
			message{"cannot set any additional groups", sdk.ErrUnsupported},
			message{"invalid container id format", sdk.ErrInvalid},
			message{"unknown signal", sdk.ErrInvalid},
			message{"unable to signal init: invalid argument", sdk.ErrInvalid},
			message{"rootless container requires user namespaces", sdk.ErrInvalid},
			message{"unmapped user in user namespace", sdk.ErrInvalid},
			message{"unexpected end of json input", errDamaged},
			message{"invalid character", errDamaged},
			message{"cannot unmarshal", errDamaged},
			message{"eof", errDamaged},
		),
	}
}

// Crun is crun. Tried with 1.8.1; a few messages are those of later versions.
func Crun() Runtime {
	return Runtime{
		name:                 "crun",
		places:               []string{"/usr/bin/crun", "/usr/local/bin/crun"},
		install:              "apt-get install crun",
		logPrefix:            "file:", // without it, a colon in the path is taken for a kind of log
		takesCgroupManager:   true,
		needsOneCgroupLayout: true,
		remakesRoot:          true,
		lax:                  true,
		messages: append(kernelMessages(),
			message{"open*`*/status`: no such file or directory", sdk.ErrNotFound},
			message{"cannot open directory '*': no such file or directory", sdk.ErrNotFound},
			message{"container `*` does not exist", sdk.ErrNotFound},
			message{"container `*` already exists", sdk.ErrExists},
			message{"is not in `created` or `stopped` state", sdk.ErrState},
			message{"exec.fifo`: no such file or directory", sdk.ErrState},
			message{"container `*` is not running", sdk.ErrState},
			message{"container `*` is paused", sdk.ErrState},
			message{"kill container: no such process", sdk.ErrState},
			message{"open pidfd: no such process", sdk.ErrState},
			message{"the container without a cgroup", sdk.ErrUnavailable},
			message{"cgroups in hybrid mode not supported", sdk.ErrUnavailable},
			message{"unknown version specified", sdk.ErrUnsupported},
			message{"send signal to pidfd: invalid argument", sdk.ErrInvalid},
			message{"cannot setresuid to", sdk.ErrInvalid},
			message{"cannot parse status file", errDamaged},
		),
	}
}

// kernelMessages are the kernel's own words, which every runtime passes on. They come first: an
// unreadable file is not a missing one.
func kernelMessages() []message {
	return []message{
		{"permission denied", sdk.ErrUnavailable},
		{"resource temporarily unavailable", sdk.ErrUnavailable},
		{"no space left on device", sdk.ErrUnavailable},
		{"read-only file system", sdk.ErrUnavailable},
		{"input/output error", sdk.ErrUnavailable},
	}
}
