package slurm

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// handedOver is a file in a task's spool directory, which belongs to the job's user.
const handedOver = "berth-task"

// handOver leaves what Slurm tells TaskProlog about the task, and its container not, in the task's
// spool directory, where TaskProlog runs: its rank and how to reach PMI. Slurm 22.05 writes config.json,
// which is there too, before it knows.
func handOver(env []string) error {
	if _, err := os.Stat(sdk.ConfigFile); err != nil {
		return nil // not called by Slurm
	}
	var text strings.Builder
	for _, entry := range env {
		name, _, _ := strings.Cut(entry, "=")
		if aboutTask(name) {
			text.WriteString(entry + "\x00")
		}
	}
	f, err := os.OpenFile(handedOver, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err == nil {
		_, err = f.WriteString(text.String())
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		return sdk.Mark(fmt.Errorf("handing over the task's environment: %w", err), sdk.ErrUnavailable)
	}
	return nil
}

func aboutTask(name string) bool {
	switch name {
	case "SLURM_CONF", "SLURM_CONF_SERVER", "SLURM_SCRIPT_CONTEXT":
		return false // about the daemon, and about TaskProlog
	}
	prefix, _, _ := strings.Cut(name, "_")
	return prefix == "SLURM" || prefix == "SLURMD" || prefix == "PMI" || prefix == "PMIX"
}

// takeOver returns what handOver left and env lacks. The file must be gone before Slurm removes the
// directory.
func takeOver(spool string, env []string) ([]string, error) {
	file := filepath.Join(spool, handedOver)
	left, err := readEnvFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err == nil {
		err = os.Remove(file)
	}
	if err != nil {
		return nil, err
	}
	known := newJob(env)
	var lacking []string
	for _, entry := range left {
		name, _, _ := strings.Cut(entry, "=")
		if _, there := known[name]; !there {
			lacking = append(lacking, entry)
		}
	}
	return lacking, nil
}
