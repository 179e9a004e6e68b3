// Package ociruntime is a whole driver for container runtimes that have runc's command line. What
// runtimes and their versions differ in is in one table per runtime, Runc and Crun; everything else
// is shared.
//
// Run, Create and Exec are answered with a command for the host to execute. The short calls, which
// touch no standard stream, are made here: with a built environment, bounded output, and an end
// when the call's context is done.
package ociruntime
