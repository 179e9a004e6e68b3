// Package state keeps what berth must remember of a container between two of its calls: one small
// directory per container, below one directory per user.
//
//	/run/berth/           sticky, writable by all; System in a Place
//	  2000/               0700: the containers of uid 2000
//	    ID/               0700: one container
//	      record          whose it is, which process it is, which driver runs it
//	      config.json     the effective bundle
//	      rt/             the runtime's own state
//	    +JOB.STEP.NODE/   what the tasks of a step share, where their driver prepares steps
//	      note            who prepared it, and what came of it
//	      shared/         the driver's own
//	    .1f00ba42/        hidden: being made, being removed, or a driver's socket
//
// # Life of a container directory
//
// Create makes it under a hidden name, locks it, writes the record and only then gives it its name:
// a directory that can be found has a record, whenever its creator dies. The record names the
// creating process, which becomes the container by exec and keeps pid and start time; so the record
// alone says whether anything is alive. Remove hides the directory first and empties it then.
//
// The lock (flock on the directory) orders those who change a directory: one creates, deletes or
// sweeps it, the others wait or get a typed error. It ends with the process and at exec. Reading
// needs no lock.
//
// A hidden directory belongs to whoever holds its lock. Where nobody does its owner died, and Sweep
// removes it; Sweep also removes containers that are provably dead.
//
// # Security
//
// Every directory is reached by descriptors that follow no symbolic link, and its owner and mode
// are verified on the descriptor. The directory of a uid is what the uid owns, so another user who
// takes the name locks nobody out. A record that a user forged harms nobody but that user: this
// package acts on one user's directories only, as that user (Open refuses anything else), and
// signals go through a pidfd to the recorded process or nowhere.
package state
