package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// The first Slurm whose containers work with berth.
const (
	leastMajor = 22
	leastMinor = 5
)

// checkTimeout is how long srun and slurmctld may take together to answer.
const checkTimeout = 3 * time.Second

// Check implements sdk.Checker. It asks for srun's version, and whether slurmctld answers.
func (d *driver) Check(ctx context.Context) (*sdk.Runtime, error) {
	found := &sdk.Runtime{Name: "slurm"}
	if err := d.present(); err != nil {
		return found, err
	}
	found.Path = d.command("srun")
	ctx, cancel := limit.WithTimeout(ctx, checkTimeout, "no answer of Slurm")
	defer cancel()
	out, err := d.call(ctx, "srun", "--version")
	if err == nil {
		found.Version, err = enough(out)
	}
	if err != nil {
		return found, sdk.WithAdvice(err, "name the directory of a working Slurm as bin in [drivers.slurm] of berth.toml")
	}
	if _, err := d.call(ctx, "scontrol", "ping"); err != nil {
		return found, sdk.WithAdvice(
			fmt.Errorf("slurmctld does not answer: %w", err),
			"start slurmctld, or correct the slurm.conf of this node")
	}
	return found, nil
}

func (d *driver) present() error {
	if _, err := exec.LookPath(d.command("srun")); err != nil {
		return sdk.WithAdvice(
			fmt.Errorf("Slurm not usable on this node: %w", sdk.Mark(err, sdk.ErrUnavailable)),
			"install Slurm's client commands, or name their directory as bin in [drivers.slurm] of berth.toml")
	}
	return nil
}

// enough reads "slurm 24.11.5" or "slurm-wlm 22.05.8", and refuses what is too old.
func enough(out string) (string, error) {
	name, version, _ := strings.Cut(strings.TrimSpace(out), " ")
	major, rest, _ := strings.Cut(version, ".")
	minor, _, _ := strings.Cut(rest, ".")
	a, err1 := strconv.Atoi(major)
	b, err2 := strconv.Atoi(minor)
	if err := errors.Join(err1, err2); err != nil || !strings.HasPrefix(name, "slurm") {
		return "", sdk.Mark(fmt.Errorf("it is no srun: it calls itself %q", out[:min(len(out), 200)]), sdk.ErrUnavailable)
	}
	if a < leastMajor || a == leastMajor && b < leastMinor {
		return version, sdk.Mark(fmt.Errorf("Slurm %s is too old: 22.05 is the first that runs containers as berth does", version), sdk.ErrUnavailable)
	}
	return version, nil
}
