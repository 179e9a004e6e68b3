package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"strings"
	"time"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

const versionTimeout = 2 * time.Second

// Check implements sdk.Checker. GPUs are not looked for: a container that needs none can run
// everywhere.
func (d *driver) Check(ctx context.Context) (*sdk.Runtime, error) {
	found := &sdk.Runtime{Name: "nvidia-container-runtime"}
	if err := d.present(); err != nil {
		return found, err
	}
	found.Path = d.settings.Runtime
	version, err := d.version(ctx)
	if err != nil {
		return found, err
	}
	found.Version = version
	if _, err := d.low().Check(ctx); err != nil {
		return found, fmt.Errorf("low_level: %w", err)
	}
	return found, nil
}

func (d *driver) present() error {
	_, err := exec.LookPath(d.settings.Runtime)
	if err == nil {
		return nil
	}
	return sdk.WithAdvice(
		fmt.Errorf("runtime not usable on this node: %w", sdk.Mark(err, sdk.ErrUnavailable)),
		"install NVIDIA's nvidia-container-toolkit, or name nvidia-container-runtime as runtime in [drivers.nvidia] of berth.toml")
}

// version reads "NVIDIA Container Runtime version 1.20.1", which the version of a low-level runtime
// follows if it finds any.
func (d *driver) version(ctx context.Context) (string, error) {
	ctx, cancel := limit.WithTimeout(ctx, versionTimeout, "no version")
	defer cancel()
	out, err := d.call(ctx, "/dev/null", "--version")
	line, _, _ := strings.Cut(out, "\n")
	version, ok := strings.CutPrefix(line, "NVIDIA Container Runtime version ")
	switch {
	case ok && version == "unknown": // built without its makefile
		return "", nil
	case ok:
		return version, nil
	case err == nil:
		err = sdk.Mark(errors.New("it is no nvidia-container-runtime"), sdk.ErrUnavailable)
	}
	return "", sdk.WithAdvice(
		fmt.Errorf("asking %s for its version: %w", d.settings.Runtime, err),
		"name a working nvidia-container-runtime as runtime in [drivers.nvidia] of berth.toml")
}
