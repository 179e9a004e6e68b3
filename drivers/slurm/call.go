package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/berth-hpc/berth/drivers/internal/capture"
	"github.com/berth-hpc/berth/sdk"
)

func (d *driver) command(name string) string { return filepath.Join(d.settings.Bin, name) }

// environment is that of Slurm's commands. SLURM_ variables of the caller are no part of it: they are
// options, and say what another job has.
func (d *driver) environment() []string {
	var env []string
	for _, name := range []string{"PATH", "HOME", "USER", "LOGNAME", "LANG", "LC_ALL", "TERM", "TZ"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	if d.settings.Conf != "" {
		env = append(env, "SLURM_CONF="+d.settings.Conf)
	}
	return env
}

// call runs one of Slurm's commands and returns its stdout. ErrUnavailable, whatever went wrong.
func (d *driver) call(ctx context.Context, name string, args ...string) (string, error) {
	return d.output(ctx, d.command(name), args...)
}

// program runs another program.
func (d *driver) program(ctx context.Context, path string, args ...string) error {
	_, err := d.output(ctx, path, args...)
	return err
}

func (d *driver) output(ctx context.Context, path string, args ...string) (string, error) {
	name := filepath.Base(path)
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Env = d.environment()
	out, err := capture.Run(cmd)
	switch {
	case err == nil:
		return string(out.Stdout), nil
	case ctx.Err() != nil:
		err = fmt.Errorf("%s did not end in time: does slurmctld answer?", name)
	case len(out.Stderr) > 0:
		err = fmt.Errorf("%s: %s", name, oneLine(string(out.Stderr), name))
	default:
		err = fmt.Errorf("%s: %w", name, err)
	}
	return string(out.Stdout), sdk.Mark(err, sdk.ErrUnavailable)
}

// oneLine is what a command complained of, without its own name and "error" before each line.
func oneLine(text, name string) string {
	var lines []string
	for line := range strings.Lines(text) {
		line = strings.TrimPrefix(strings.TrimPrefix(strings.TrimSpace(line), name+": "), "error: ")
		if line != "" && (len(lines) == 0 || lines[len(lines)-1] != line) {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "; ")
}
