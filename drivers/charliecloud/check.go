package main

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"time"

	"github.com/berth-hpc/berth/drivers/internal/capture"
	"github.com/berth-hpc/berth/drivers/internal/userns"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// The versions of ch-run, as minor numbers of 0, that matter.
const (
	leastVersion   = 31
	overlayVersion = 36 // the first with --write-fake
)

const versionTimeout = 2 * time.Second

// Check implements sdk.Checker.
func (d *driver) Check(ctx context.Context) (*sdk.Runtime, error) {
	found := &sdk.Runtime{Name: "charliecloud"}
	if err := d.present(); err != nil {
		return found, err
	}
	found.Path = d.settings.Runtime
	text, minor, err := d.version(ctx)
	found.Version = text
	if err != nil {
		return found, err
	}
	if minor < leastVersion {
		return found, sdk.WithAdvice(
			sdk.Mark(fmt.Errorf("ch-run %s is too old: version 0.%d is the first that works with berth", text, leastVersion), sdk.ErrUnavailable),
			"upgrade Charliecloud, or name another ch-run as runtime in [drivers.charliecloud] of berth.toml")
	}
	return found, d.usable()
}

// usable says, from a few system calls, whether ch-run could make a container here.
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
		"apt-get install charliecloud-runtime, or name ch-run as runtime in [drivers.charliecloud] of berth.toml")
}

// version asks ch-run for its version, and returns the minor number too.
func (d *driver) version(ctx context.Context) (text string, minor int, err error) {
	ctx, cancel := limit.WithTimeout(ctx, versionTimeout, "no version")
	defer cancel()
	cmd := exec.CommandContext(ctx, d.settings.Runtime, "--version")
	cmd.Env = []string{"USER=berth"} // it does nothing without
	out, err := capture.Run(cmd)
	if ctx.Err() != nil {
		err = context.Cause(ctx)
	}
	if err == nil {
		if text, minor, err = parseVersion(string(out.Stdout) + string(out.Stderr)); err == nil {
			return text, minor, nil
		}
	}
	return "", 0, sdk.WithAdvice(
		fmt.Errorf("asking %s for its version: %w", d.settings.Runtime, sdk.Mark(err, sdk.ErrUnavailable)),
		"name a working ch-run as runtime in [drivers.charliecloud] of berth.toml")
}

// parseVersion reads "0.31" and what may follow, such as "0.45.2~pre+abc".
func parseVersion(out string) (text string, minor int, err error) {
	text = strings.TrimSpace(out)
	major, rest, _ := strings.Cut(text, ".")
	end := strings.IndexFunc(rest, func(r rune) bool { return r < '0' || r > '9' })
	if end >= 0 {
		rest = rest[:end]
	}
	minor, err = strconv.Atoi(rest)
	if err != nil || strings.ContainsAny(text, " \n") || major == "" || strings.Trim(major, "0123456789") != "" {
		return "", 0, fmt.Errorf("it is no ch-run: it calls itself %q", text[:min(len(text), 200)])
	}
	if major != "0" {
		minor = 1 << 20 // newer than all that is known
	}
	return text, minor, nil
}

// fuse says whether ch-run can mount a SquashFS image here.
func fuse() error {
	f, err := os.OpenFile("/dev/fuse", os.O_RDWR, 0)
	if err == nil {
		return f.Close()
	}
	return sdk.WithAdvice(
		fmt.Errorf("root.path is a SquashFS image, which ch-run mounts by FUSE: %w", sdk.Mark(err, sdk.ErrUnavailable)),
		"modprobe fuse and let users open /dev/fuse, or unpack the image into a directory")
}
