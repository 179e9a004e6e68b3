package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// The files in a container's root.
const (
	recordFile = "slurm.json"
	stepFile   = "step" // "JOB STEP NODES", once srun has them
)

// record is what the driver keeps of a container from Run on. srun's epilog removes it, and so does Delete.
type record struct {
	Key    string // in the comment of a job that is made, and the name of a step: nothing else has it
	Job    string // that the container is a step of; empty: srun makes one, or salloc is about to
	Ours   bool   // the job is the container's alone, and ends with it
	UID    int    // whose job it is
	Staged string // directory that was made on this node, for compute nodes to see or to be sent; empty: none yet
	Node   string // directory that was made on the compute nodes; empty: none
	Bin    string // the settings by which srun's epilog finds Slurm
	Conf   string
}

func (r *record) write(root string) error {
	text, err := json.Marshal(r)
	if err == nil {
		err = replaceFile(root, recordFile, text)
	}
	if err != nil {
		return fmt.Errorf("noting the job: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}

// replaceFile writes a file that readers see whole or not at all.
func replaceFile(root, name string, text []byte) error {
	temporary := filepath.Join(root, "."+name)
	if err := os.WriteFile(temporary, text, 0o600); err != nil {
		return err
	}
	return os.Rename(temporary, filepath.Join(root, name))
}

// readRecord returns the record of a container. ErrNotFound: there is none.
func readRecord(c *sdk.Container) (*record, error) {
	text, err := os.ReadFile(filepath.Join(c.Root, recordFile))
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("container %q: %w", c.ID, sdk.ErrNotFound)
	}
	if err != nil {
		return nil, fmt.Errorf("reading the note of the job: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	r := new(record)
	if err := json.Unmarshal(text, r); err != nil {
		return nil, fmt.Errorf("reading the note of the job: %w", sdk.Mark(err, sdk.ErrState))
	}
	return r, nil
}

// forget removes the files of a container from its root, the record last.
func forget(root string) error {
	for _, name := range []string{stepFile, "." + stepFile, "." + recordFile, recordFile} {
		if err := os.Remove(filepath.Join(root, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return fmt.Errorf("forgetting the job: %w", sdk.Mark(err, sdk.ErrUnavailable))
		}
	}
	return nil
}

// step is a step of a job, as scancel takes it.
type step struct {
	job, number string
	node        string // the first; empty: not known
}

func (s step) String() string { return s.job + "." + s.number }

// readStep returns the step that srun has made for the container, once it has.
func readStep(root string) (step, bool) {
	text, err := os.ReadFile(filepath.Join(root, stepFile))
	if err != nil {
		return step{}, false
	}
	fields := strings.Fields(string(text))
	if len(fields) < 2 || !isNumber(fields[0]) || !isNumber(fields[1]) {
		return step{}, false
	}
	return step{fields[0], fields[1], firstNode(strings.Join(fields[2:], ""))}, true
}

func isNumber(text string) bool { return text != "" && strings.Trim(text, "0123456789") == "" }
