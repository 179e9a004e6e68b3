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

// Guard says whether a job with this environment gets the container that it asks for. Without an
// oci.conf Slurm runs its command on the bare node, with status 0 and no word. Where Slurm does not
// tell the container about the task, Guard does: see handOver. sdk.ErrUnavailable: the job must not run.
func Guard(env []string) error {
	job := newJob(env)
	if job.value("SLURM_CONTAINER") == "" {
		return nil
	}
	file := ConfFile(job.value("SLURM_CONF"))
	text, err := os.ReadFile(file)
	if errors.Is(err, fs.ErrNotExist) {
		err := fmt.Errorf("this node would run container %q on the bare node: there is no %s", job.value("SLURM_CONTAINER"), file)
		return sdk.WithAdvice(sdk.Mark(err, sdk.ErrUnavailable), "tell the administrators of the cluster: berth slurm conf writes the file")
	}
	if err != nil {
		return sdk.Mark(fmt.Errorf("reading Slurm's container configuration: %w", err), sdk.ErrUnavailable)
	}
	options, err := parseConf(strings.NewReader(string(text)))
	if err != nil {
		return err
	}
	for _, o := range options {
		if o.name != "RunTimeRun" || !strings.Contains(o.value, " slurm run ") {
			continue
		}
		if strings.Contains(o.value, " --uid ") {
			return nil
		}
		return handOver(env) // Slurm 22.05, for which Conf writes none
	}
	return sdk.Mark(fmt.Errorf("%s does not run containers through berth", file), sdk.ErrUnavailable)
}

// ConfFile is where Slurm looks for oci.conf: beside the slurm.conf that is named, or this node's.
func ConfFile(slurmConf string) string {
	if slurmConf == "" {
		slurmConf = SlurmConf("/")
	}
	return filepath.Join(filepath.Dir(slurmConf), "oci.conf")
}

// SlurmConf is the slurm.conf of the node with this root directory: the usual one, or what slurmd keeps
// where the controller hands out the configuration ("Configless" in Slurm's documentation).
func SlurmConf(root string) string {
	usual := filepath.Join(root, "etc/slurm/slurm.conf")
	handedOut := filepath.Join(root, "run/slurm/conf/slurm.conf")
	if _, err := os.Stat(usual); errors.Is(err, fs.ErrNotExist) {
		if _, err := os.Stat(handedOut); err == nil {
			return handedOut
		}
	}
	return usual
}
