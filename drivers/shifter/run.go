package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/berth-hpc/berth/drivers/internal/byname"
	"github.com/berth-hpc/berth/sdk"
)

var places = [...]string{"/usr/bin/shifter", "/usr/local/bin/shifter", "/opt/shifter/bin/shifter"}

// Run implements sdk.Driver. shifter sets the container up with root's rights, gives them up, and becomes
// the program, in the same process.
func (d *driver) Run(_ context.Context, c *sdk.Container) (*sdk.Command, error) {
	found, err := d.runtime().Read(c)
	if err != nil {
		return nil, err
	}
	if os.Geteuid() == 0 {
		return nil, sdk.WithAdvice(
			sdk.Mark(errors.New("shifter runs nothing for root"), sdk.ErrUnavailable),
			"run the container as an ordinary user, or choose another driver")
	}
	return d.command(found), nil
}

func (d *driver) command(found *byname.Container) *sdk.Command {
	args := []string{filepath.Base(d.settings.Runtime), "--image=" + found.Image, "--workdir=" + found.Cwd}
	for _, b := range found.Binds {
		volume := "--volume=" + b.Source + ":" + b.Target
		if b.ReadOnly {
			volume += ":ro"
		}
		args = append(args, volume)
	}
	// All others reach the program as shifter's own. The search path is the container's, not the image's.
	for _, entry := range found.Env {
		if name, _, _ := strings.Cut(entry, "="); name == "PATH" || byname.Dropped(name) {
			args = append(args, "--env="+entry)
		}
	}
	args = append(append(args, "--"), found.Args...)
	return &sdk.Command{Path: d.settings.Runtime, Args: args, Env: found.Env}
}
