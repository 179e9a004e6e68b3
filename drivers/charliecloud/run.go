package main

import (
	"context"
	"path"
	"path/filepath"
	"strconv"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/prlimit"
	"github.com/berth-hpc/berth/sdk"
)

// Run implements sdk.Driver. ch-run makes its two namespaces and becomes the program, in the same
// process; with a SquashFS image it stays as the program's parent and serves the file system.
func (d *driver) Run(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	if err := d.usable(); err != nil {
		return nil, err
	}
	spec, err := c.Spec()
	if err != nil {
		return nil, err
	}
	if err := d.check(spec, c); err != nil {
		return nil, err
	}
	image, err := openImage(spec.Root.Path)
	if err != nil {
		return nil, err
	}
	defer image.close()
	binds, err := d.bindAll(spec, c, image)
	if err != nil {
		return nil, err
	}
	write, err := d.writeFlags(ctx, spec, image, binds)
	if err != nil {
		return nil, err
	}
	flags := []string{
		"--no-passwd", "--private-tmp", "--storage=" + c.Root, // an empty directory: nothing of the user's own
		"--uid=" + strconv.Itoa(int(spec.Process.User.UID)), "--gid=" + strconv.Itoa(int(spec.Process.User.GID)),
	}
	var options []string
	if image.squash {
		options = []string{"--end-with-parent"} // which serves the image: without it the program is of no use
		mount, err := makeDir(c.Bundle, "image")
		if err != nil {
			return nil, err
		}
		flags = append(flags, "--mount="+mount)
	}
	return d.command(spec.Process, image.path, options, append(append(flags, write...), binds.flags()...))
}

// command is ch-run with flags, berth-init with options, and what the process is to be.
func (d *driver) command(p *specs.Process, image string, options, flags []string) (*sdk.Command, error) {
	if len(p.Args) == 0 || !isInit(p.Args[0]) {
		return nil, sdk.WithAdvice(
			unsupported("process.args", "ch-run changes the environment, which only berth-init can undo, and it has no place in this container"),
			"give the container a tmpfs on /dev in config.json")
	}
	env, variables := environment(p.Env)
	args := append([]string{filepath.Base(d.settings.Runtime)}, flags...)
	args = append(args, "--cd="+p.Cwd, image, "--", p.Args[0])
	args = append(append(append(args, variables...), options...), p.Args[1:]...)
	cmd := &sdk.Command{Path: d.settings.Runtime, Args: args, Env: env}
	return cmd, prlimit.Limit(cmd, p.Rlimits)
}

func isInit(program string) bool { return path.Base(program) == ".berth-init" }
