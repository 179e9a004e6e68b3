// Command berth-driver-bubblewrap runs containers with bubblewrap (bwrap). It is the driver that
// docs/driver-author.md explains.
package main

import (
	"context"
	"os/exec"
	"strings"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/plugin"
)

type driver struct {
	Runtime string `json:"runtime" doc:"absolute path of bwrap"`
}

func main() { plugin.Serve(&driver{Runtime: "/usr/bin/bwrap"}) }

// Settings implements sdk.Configurer: the fields are the keys of the driver's table in berth.toml.
func (d *driver) Settings() any { return d }

// Check implements sdk.Checker.
func (d *driver) Check(ctx context.Context) (*sdk.Runtime, error) {
	out, err := exec.CommandContext(ctx, d.Runtime, "--version").Output()
	version := strings.TrimPrefix(strings.TrimSpace(string(out)), "bubblewrap ")
	return &sdk.Runtime{Name: "bubblewrap", Path: d.Runtime, Version: version}, unusable(err)
}

// Run implements sdk.Driver. bwrap stays as the program's parent and ends with its status.
func (d *driver) Run(_ context.Context, c *sdk.Container) (*sdk.Command, error) {
	if _, err := exec.LookPath(d.Runtime); err != nil {
		return nil, unusable(err)
	}
	spec, err := c.Spec()
	if err != nil {
		return nil, err
	}
	flags, err := translate(spec, c)
	if err != nil {
		return nil, err
	}
	args := append(append([]string{d.Runtime, "--die-with-parent"}, flags...), spec.Process.Args...)
	return &sdk.Command{Path: d.Runtime, Args: args, Env: spec.Process.Env}, nil
}

func unusable(err error) error {
	// Both leave nil as it is.
	return sdk.WithAdvice(sdk.Mark(err, sdk.ErrUnavailable), "apt-get install bubblewrap, or set runtime to the path of bwrap")
}
