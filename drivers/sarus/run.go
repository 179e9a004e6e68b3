package main

import (
	"context"
	"fmt"
	"path/filepath"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/drivers/internal/byname"
	"github.com/berth-hpc/berth/sdk"
)

var places = [...]string{"/usr/bin/sarus", "/usr/local/bin/sarus", "/opt/sarus/default/bin/sarus"}

// Run implements sdk.Driver. sarus stays as the parent of runc, whose status it ends with. An entry
// point of the image does not run: config.json has the whole command.
func (d *driver) Run(_ context.Context, c *sdk.Container) (*sdk.Command, error) {
	found, err := d.runtime().Read(c)
	if err != nil {
		return nil, err
	}
	isPMI := func(entry string) bool { return strings.HasPrefix(entry, "PMI_FD=") }
	if c.Files > 0 && !slices.ContainsFunc(found.Env, isPMI) {
		return nil, sdk.Mark(fmt.Errorf("sarus passes on PMI's descriptor and no other, and the program needs %d more", c.Files), sdk.ErrUnsupported)
	}
	args := []string{filepath.Base(d.settings.Runtime), "run", "--entrypoint=", "--workdir=" + found.Cwd}
	for _, b := range found.Binds {
		mount := "--mount=type=bind,source=" + b.Source + ",destination=" + b.Target
		if b.ReadOnly {
			mount += ",readonly"
		}
		args = append(args, mount)
	}
	// A name alone has sarus take the value from its own environment, before the image's and the site's.
	for _, entry := range found.Env {
		name, _, _ := strings.Cut(entry, "=")
		if byname.Dropped(name) {
			name = entry
		}
		args = append(args, "--env="+name)
	}
	args = append(append(args, found.Image), found.Args...)
	return &sdk.Command{Path: d.settings.Runtime, Args: args, Env: found.Env}, nil
}
