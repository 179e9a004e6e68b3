package state

import (
	"errors"
	"fmt"
	"io"
	"io/fs"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// Dead says whether the container is provably dead: nothing of it runs, and no driver need be asked.
// That is so where its record is from an earlier boot, or where the recorded process has ended and
// the runtime keeps no state of the container. What is not provable is false: ask the driver. An
// error says why it cannot be told.
func (d *Dir) Dead() (bool, error) {
	rec, err := d.Record()
	if errors.Is(err, sdk.ErrNotFound) {
		// Every container gets its record before its name: this one's removal was cut short.
		return d.runtimeForgot()
	}
	if err != nil {
		return false, err
	}
	if alive, err := rec.Alive(); alive || err != nil {
		return false, err
	}
	if forgot, err := d.runtimeForgot(); forgot || err != nil {
		return forgot, err
	}
	return rec.earlierBoot() // when what the runtime remembers means nothing
}

// kept says whether somebody will delete the container who is still there to do it: not one of an
// earlier boot, and not one who has ended.
func (d *Dir) kept() (bool, error) {
	rec, err := d.Record()
	if errors.Is(err, sdk.ErrNotFound) || err == nil && (!rec.Kept || rec.Creating || rec.Abandoned()) {
		return false, nil
	}
	if err != nil {
		return true, err
	}
	earlier, err := rec.earlierBoot()
	return !earlier, err
}

// runtimeForgot says whether the runtime keeps no state. Names that no container can have are not
// looked at: crun keeps a cache in its root.
func (d *Dir) runtimeForgot() (bool, error) {
	f, err := d.openRuntimeRoot()
	if errors.Is(err, fs.ErrNotExist) {
		return true, nil
	}
	if err != nil {
		return false, sdk.Mark(err, sdk.ErrUnavailable)
	}
	defer f.Close()
	for {
		names, err := f.Readdirnames(64)
		for _, name := range names {
			if !strings.HasPrefix(name, ".") {
				return false, nil
			}
		}
		if err == io.EOF {
			return true, nil
		}
		if err != nil {
			return false, sdk.Mark(fmt.Errorf("reading %q: %w", d.runtimeRoot(), err), sdk.ErrUnavailable)
		}
	}
}
