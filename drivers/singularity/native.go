package main

import (
	"context"
	"path/filepath"
	"slices"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/prlimit"
	"github.com/berth-hpc/berth/drivers/internal/userns"
	"github.com/berth-hpc/berth/sdk"
)

// native runs containers by the runtime's exec, in a user namespace, as the caller. It keeps no state
// of containers: the host answers from its own records.
type native struct{ settings *settings }

// Settings implements sdk.Configurer.
func (d *native) Settings() any {
	d.settings = defaults()
	return d.settings
}

// Check implements sdk.Checker.
func (d *native) Check(ctx context.Context) (*sdk.Runtime, error) {
	f, err := look(ctx, d.settings)
	if err != nil {
		return &sdk.Runtime{Name: "singularity"}, err
	}
	return &sdk.Runtime{Name: f.name, Path: d.settings.Runtime, Version: f.version}, userns.Allowed("/proc/sys")
}

// Run implements sdk.Driver. The runtime stays as the program's parent, passes signals on and ends with
// its status.
func (d *native) Run(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	f, err := look(ctx, d.settings)
	if err == nil {
		err = userns.Allowed("/proc/sys")
	}
	if err != nil {
		return nil, err
	}
	spec, err := c.Spec()
	if err != nil {
		return nil, err
	}
	if err := d.check(spec, c); err != nil {
		return nil, err
	}
	flags, err := userFlags(f, spec.Process.User, spec.Linux)
	if err != nil {
		return nil, err
	}
	i, err := openImage(spec.Root.Path, f)
	if err != nil {
		return nil, err
	}
	defer i.close()
	write := i.writeFlag(spec.Root.Readonly)
	b := &binds{
		image: i, writable: write == "--writable", bundle: c.Bundle, share: d.settings.Isolation == share,
		moved: map[string]string{}, given: map[string]bool{},
	}
	if err := b.mounts(spec); err != nil {
		return nil, err
	}
	if err := b.withoutImagesVariables(); err != nil {
		return nil, err
	}
	if write != "" {
		flags = append(flags, write)
	}
	if f.has(f.ociExec) {
		flags = append(flags, "--no-oci")
	}
	if f.has(f.literal) {
		flags = append(flags, "--no-eval")
	}
	flags = slices.Concat(flags, namespaceFlags(spec), []string{"--no-mount", b.unasked(f)}, b.args())
	if err := makeTarget(c.Bundle, "home", true); err != nil {
		return nil, err
	}
	return d.command(f, spec.Process, flags, b, i.path, filepath.Join(c.Bundle, "home"))
}

func namespaceFlags(spec *specs.Spec) []string {
	var flags []string
	for _, n := range spec.Linux.Namespaces {
		flags = append(flags, map[specs.LinuxNamespaceType][]string{
			specs.PIDNamespace:     {"--pid", "--no-init"},
			specs.IPCNamespace:     {"--ipc"},
			specs.UTSNamespace:     {"--uts"},
			specs.NetworkNamespace: {"--net", "--network", "none"},
		}[n.Type]...)
	}
	if spec.Hostname != "" {
		flags = append(flags, "--hostname", spec.Hostname)
	}
	return flags
}

// withoutImagesVariables hides the scripts in which images made for the runtime keep variables: those
// that config.json names are the program's.
func (b *binds) withoutImagesVariables() error {
	const scripts = "/.singularity.d/env"
	if b.image.root != nil && !b.image.has(scripts) {
		return nil
	}
	empty := filepath.Join(b.bundle, "variables")
	if err := makeTarget(b.bundle, "variables", true); err != nil {
		return err
	}
	return b.add(empty, scripts, true)
}

// command is the runtime with flags, berth-init with options, and what the process is to be.
func (d *native) command(f *found, p *specs.Process, flags []string, b *binds, image, private string) (*sdk.Command, error) {
	end := slices.Index(p.Args, "--")
	place, ok := "", false
	if end > 0 {
		place, ok = b.moved[p.Args[0]]
	}
	if !ok {
		return nil, sdk.WithAdvice(
			unsupported("process.args", "the runtime changes the environment, which only berth-init can undo, and it has no place in this container"),
			"give the container a tmpfs on /dev in config.json")
	}
	env, variables := f.environment(p.Env, private)
	args := append([]string{filepath.Base(d.settings.Runtime), "--silent", "exec", "--userns", "--contain", "--no-home"}, flags...)
	args = append(append(args, "--pwd", p.Cwd, image, place), variables...)
	if p.NoNewPrivileges {
		args = append(args, "--no-new-privileges") // which the runtime sets for ordinary users alone
	}
	for _, link := range b.links {
		args = append(args, "--link", link, "/dev"+strings.TrimPrefix(link, movedDev))
	}
	for _, arg := range p.Args[1:end] {
		if to, ok := b.moved[arg]; ok {
			arg = to
		}
		args = append(args, arg)
	}
	cmd := &sdk.Command{Path: d.settings.Runtime, Args: append(args, p.Args[end:]...), Env: env}
	return cmd, prlimit.Limit(cmd, p.Rlimits)
}
