package main

import (
	"context"
	"fmt"
	"os"
	"path"
	"path/filepath"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/prlimit"
	"github.com/berth-hpc/berth/sdk"
)

// containerDir, below the bundle, holds what enroot reads and writes for it:
//
//	config/  fstab, variables and hooks, in the place of the user's own
//	data/    a link to the root file system, by the name that enroot starts
//	run/     where enroot mounts its working directory
//	dev/     the container's /dev
const containerDir = "enroot"

// Run implements sdk.Driver. enroot makes its namespaces and becomes the program, in the same process.
func (d *driver) Run(_ context.Context, c *sdk.Container) (*sdk.Command, error) {
	i, err := d.wanted(c)
	if err != nil {
		return nil, err
	}
	spec, err := c.Spec()
	if err != nil {
		return nil, err
	}
	if !plain(c.Bundle) {
		return nil, unsupported("bundle", "enroot's tables of mounts cannot hold its path, %q", c.Bundle)
	}
	rootfs := i.dir
	if i.shared() {
		if rootfs, err = d.unpacked(c.Step, i); err != nil {
			return nil, err
		}
	}
	l, err := newLayout(c.Bundle)
	if err != nil {
		return nil, err
	}
	if err := l.link(rootfs); err != nil {
		return nil, err
	}
	if err := l.hooks(d.settings.Hooks); err != nil {
		return nil, err
	}
	if err := d.mountAll(l, spec, rootfs); err != nil {
		return nil, err
	}
	args, err := l.command(spec.Process, rootfs)
	if err != nil {
		return nil, err
	}
	cmd := &sdk.Command{Path: d.settings.Runtime, Env: d.startEnvironment(l, spec.Process)}
	cmd.Args = append([]string{filepath.Base(cmd.Path), "start"}, startFlags(spec)...)
	cmd.Args = append(append(cmd.Args, "--", unpackedName), args...)
	return cmd, prlimit.Limit(cmd, spec.Process.Rlimits)
}

// unpacked is where Prepare has put the image.
func (d *driver) unpacked(step *sdk.Step, i *image) (string, error) {
	data, err := d.dataDir(step)
	if err != nil {
		return "", err
	}
	dir := filepath.Join(data, i.name(), "data", unpackedName)
	if _, err := os.Stat(dir); err != nil {
		return "", sdk.WithAdvice(
			fmt.Errorf("the step was prepared for another image: %w", sdk.Mark(err, sdk.ErrUnavailable)),
			"start containers with different images in steps of their own")
	}
	return dir, nil
}

func startFlags(spec *specs.Spec) []string {
	var flags []string
	if spec.Process.User.UID == 0 && os.Geteuid() != 0 {
		flags = append(flags, "--root")
	}
	if !spec.Root.Readonly {
		flags = append(flags, "--rw")
	}
	return flags
}

// startEnvironment is enroot's own. Hooks read there which devices a container is to have.
func (d *driver) startEnvironment(l *layout, p *specs.Process) []string {
	env := d.environment(paths{runtime: l.path("run"), config: l.path("config"), cache: l.path("run"), data: l.path("data"), temp: l.path("run")})
	for _, entry := range p.Env {
		if len(d.settings.Hooks) > 0 && (strings.HasPrefix(entry, "NVIDIA_") || strings.HasPrefix(entry, "MELLANOX_")) {
			env = append(env, entry)
		}
	}
	return env
}

// command is what enroot gives the shell of the container, which it always starts: berth-init, see
// writeConfig. Where the image has an entry point, /etc/rc, the shell gets that name first, and what is
// mounted there is the environment. Where it has none enroot takes a first argument that is a file, and
// no program, for a script, and passes all arguments as they are.
func (l *layout) command(p *specs.Process, rootfs string) ([]string, error) {
	if len(p.Args) == 0 || !isInit(p.Args[0]) || l.dev == "" || path.Dir(p.Args[0]) != "/dev" {
		return nil, sdk.WithAdvice(
			unsupported("process.args", "enroot takes berth-init for the container's shell, and that has no place in this container"),
			"give the container a tmpfs on /dev in config.json")
	}
	file, err := l.environment(environmentName, p.Env)
	if err != nil {
		return nil, err
	}
	args := append([]string{"--cwd", p.Cwd}, p.Args[1:]...)
	if _, err := os.Lstat(filepath.Join(rootfs, "etc/rc")); err == nil {
		l.mounts = append(l.mounts, fstab{file, "/etc/rc", "none", "bind,ro,nosuid,nodev"})
	} else {
		args = append([]string{"/dev/" + environmentName}, args...)
	}
	return args, l.writeConfig(p.Args[0])
}

func isInit(program string) bool { return path.Base(program) == ".berth-init" }
