// Package trust opens the files that a process of berth believes: the system's configuration and
// the drivers it executes. Such a file belongs to root, it and every directory above it can be
// written by nobody else, and no symbolic link leads to it.
//
// What is checked is what is used: the checks are made on the open descriptor that is then read,
// hashed or executed, and the way to it is walked one component at a time by directory
// descriptors, so nothing can be exchanged between check and use.
package trust
