package state

import (
	"fmt"
	"path/filepath"
	"strconv"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

const (
	// scratchFallback is where Scratch goes when the home's path is too long for a socket.
	scratchFallback = "/tmp"

	// maxScratch leaves room for a name of 46 bytes in the 107 of a socket's path (unix(7)).
	maxScratch = 60

	atCwd = unix.AT_FDCWD
)

// Scratch makes a private directory for a driver's socket: 0700, empty, its path at most 60 bytes
// long. remove deletes it with what is in it, once; where the process is killed before, a later Sweep
// does. $TMPDIR has no say. sdk.ErrUnavailable: it cannot be made.
func (r *Root) Scratch() (dir string, remove func() error, err error) {
	parent, prefix := r.homes[0].f, hiddenPrefix
	done := func() {}
	if !r.scratchFits() {
		if parent, err = openDirectory(atCwd, scratchFallback, scratchFallback); err != nil {
			return "", nil, fmt.Errorf("making a directory for the driver's socket: %w", sdk.Mark(err, sdk.ErrUnavailable))
		}
		prefix, done = r.scratchPrefix(), func() { parent.Close() }
	}
	d, err := makeHidden(parent, prefix, r.uid)
	if err != nil {
		done()
		return "", nil, fmt.Errorf("making a directory for the driver's socket: %w", err)
	}
	remove = func() error {
		defer done()
		defer d.Close()
		return d.Remove()
	}
	return d.Path(), remove, nil
}

func (r *Root) scratchFits() bool {
	return len(filepath.Join(r.Path(), hiddenPrefix+random())) <= maxScratch
}

func (r *Root) scratchPrefix() string {
	return hiddenPrefix + "berth-" + strconv.Itoa(r.uid) + "-"
}
