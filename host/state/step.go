package state

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// stepPrefix begins the names of directories that the tasks of a step share. No container ID begins
// like this (sdk.ValidateID).
const stepPrefix = "+"

// The names in a step's directory that this package knows.
const (
	noteFile = "note"
	sharedIn = "shared"
)

// Step is the directory that the tasks of one step on this node share, open. It exists only for drivers
// that prepare steps.
type Step struct{ dir *Dir }

// Note is what the tasks of a step tell each other.
type Note struct {
	Driver string   `json:"driver"`           // whose Prepare it was
	Step   sdk.Step `json:"step"`             // as the driver was told, without the environment
	Done   bool     `json:"done"`             // Prepare has succeeded
	Failed string   `json:"failed,omitempty"` // or why it has not
}

// Step opens the directory of a step, made where it is missing. name is a container ID's kind of name.
// The caller closes it. sdk.ErrInvalid: the name. sdk.ErrUnavailable: it cannot be made.
func (r *Root) Step(name string) (*Step, error) {
	if err := sdk.ValidateID(name); err != nil {
		return nil, fmt.Errorf("naming a step: %w", err)
	}
	for {
		dir, err := r.findStep(name)
		if err == nil || !errors.Is(err, fs.ErrNotExist) {
			return dir, err
		}
		err = makeDirectory(r.homes[0].f, stepPrefix+name)
		if err != nil && !errors.Is(err, fs.ErrExist) {
			return nil, sdk.Mark(fmt.Errorf("making the directory of step %q: %w", name, err), sdk.ErrUnavailable)
		}
	}
}

// FindStep opens the directory of a step. sdk.ErrNotFound: nothing has been prepared for it here.
func (r *Root) FindStep(name string) (*Step, error) {
	s, err := r.findStep(name)
	if errors.Is(err, fs.ErrNotExist) {
		err = sdk.Mark(fmt.Errorf("nothing is prepared for step %q", name), sdk.ErrNotFound)
	}
	return s, err
}

func (r *Root) findStep(name string) (*Step, error) {
	var err error
	for _, h := range r.homes {
		var dir *Dir
		if dir, err = r.open(h, stepPrefix+name); err == nil {
			return &Step{dir: dir}, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			break
		}
	}
	return nil, err
}

// Steps lists the names of all steps that have a directory, sorted.
func (r *Root) Steps() ([]string, error) {
	var steps []string
	for _, h := range r.homes {
		names, err := listNames(h.f)
		if err != nil {
			return nil, sdk.Mark(fmt.Errorf("listing steps in %q: %w", h.path, err), sdk.ErrUnavailable)
		}
		for _, name := range names {
			if step, ok := strings.CutPrefix(name, stepPrefix); ok {
				steps = append(steps, step)
			}
		}
	}
	slices.Sort(steps)
	return slices.Compact(steps), nil
}

// Name is the name that Step was called with.
func (s *Step) Name() string { return strings.TrimPrefix(s.dir.name, stepPrefix) }

// Close lets go of the directory and, where s has it, of its lock.
func (s *Step) Close() { s.dir.Close() }

// Shared makes the directory for what the driver prepares, where it is missing, and returns its path.
func (s *Step) Shared() (string, error) {
	if err := makeDirectory(s.dir.f, sharedIn); err != nil && !errors.Is(err, fs.ErrExist) {
		return "", sdk.Mark(err, sdk.ErrUnavailable)
	}
	return filepath.Join(s.dir.path, sharedIn), nil
}

// TryLock makes this process the one that prepares or releases the step, until s.Close, exec or death,
// and says whether it did. sdk.ErrNotFound: the step has been released and its directory removed.
func (s *Step) TryLock() (bool, error) { return s.dir.tryLock() }

// Note reads what has been noted. sdk.ErrNotFound: nothing yet.
func (s *Step) Note() (Note, error) {
	var n Note
	data, err := s.dir.readSmall(noteFile, maxRecord)
	if err != nil {
		return n, err
	}
	if err := json.Unmarshal(data, &n); err != nil {
		return n, sdk.Mark(fmt.Errorf("reading what was noted of step %q: %w", s.Name(), err), sdk.ErrState)
	}
	return n, nil
}

// WriteNote replaces what has been noted. Hold the lock.
func (s *Step) WriteNote(n Note) error {
	data, err := json.Marshal(n)
	if err != nil {
		return err
	}
	return s.dir.WriteFile(noteFile, data)
}

// Remove deletes the directory and everything in it; see Dir.Remove. Hold the lock.
func (s *Step) Remove() error { return s.dir.Remove() }
