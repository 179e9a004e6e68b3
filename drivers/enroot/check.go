package main

import (
	"context"
	"fmt"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/berth-hpc/berth/drivers/internal/capture"
	"github.com/berth-hpc/berth/drivers/internal/userns"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// least is the first version whose way of starting a program is known to be what run.go relies on.
const leastMajor, leastMinor = 4, 0

const versionTimeout = 5 * time.Second

// Check implements sdk.Checker.
func (d *driver) Check(ctx context.Context) (*sdk.Runtime, error) {
	found := &sdk.Runtime{Name: "enroot"}
	if err := d.present(); err != nil {
		return found, err
	}
	found.Path = d.settings.Runtime
	version, err := d.version(ctx)
	found.Version = version
	if err != nil {
		return found, err
	}
	return found, userns.Allowed("/proc/sys")
}

// usable says, from a few system calls, whether enroot could make a container here.
func (d *driver) usable() error {
	if err := d.present(); err != nil {
		return err
	}
	return userns.Allowed("/proc/sys")
}

func (d *driver) present() error {
	_, err := exec.LookPath(d.settings.Runtime)
	if err == nil {
		return nil
	}
	return sdk.WithAdvice(
		fmt.Errorf("runtime not usable on this node: %w", sdk.Mark(err, sdk.ErrUnavailable)),
		"install the packages of github.com/NVIDIA/enroot, or name enroot as runtime in [drivers.enroot] of berth.toml")
}

// version asks enroot for its version, and refuses one that is too old.
func (d *driver) version(ctx context.Context) (string, error) {
	dir, clean, err := scratch()
	if err != nil {
		return "", err
	}
	defer clean()
	ctx, cancel := limit.WithTimeout(ctx, versionTimeout, "no version")
	defer cancel()
	cmd := exec.CommandContext(ctx, d.settings.Runtime, "version")
	cmd.Env = d.environment(paths{runtime: dir, config: dir, cache: dir, data: dir, temp: dir}) // which it makes before anything else
	out, err := capture.Run(cmd)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	text := strings.TrimSpace(string(out.Stdout))
	if err == nil {
		var enough bool
		if enough, err = isEnough(text); err == nil && !enough {
			return text, sdk.WithAdvice(
				sdk.Mark(fmt.Errorf("enroot %s is too old: version %d.%d is the first that works with berth", text, leastMajor, leastMinor), sdk.ErrUnavailable),
				"upgrade enroot, or name another one as runtime in [drivers.enroot] of berth.toml")
		}
	}
	if err != nil {
		return "", sdk.WithAdvice(
			fmt.Errorf("asking %s for its version: %w", d.settings.Runtime, sdk.Mark(err, sdk.ErrUnavailable)),
			"name a working enroot as runtime in [drivers.enroot] of berth.toml")
	}
	return text, nil
}

// isEnough reads "4.1.2".
func isEnough(text string) (bool, error) {
	parts := strings.Split(text, ".")
	if len(parts) < 2 || len(parts) > 3 {
		return false, fmt.Errorf("it is no enroot: it calls itself %q", text[:min(len(text), 200)])
	}
	major, err1 := strconv.Atoi(parts[0])
	minor, err2 := strconv.Atoi(parts[1])
	if err1 != nil || err2 != nil {
		return false, fmt.Errorf("it is no enroot: it calls itself %q", text[:min(len(text), 200)])
	}
	return major > leastMajor || major == leastMajor && minor >= leastMinor, nil
}
