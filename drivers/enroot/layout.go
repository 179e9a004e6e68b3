package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/berth-hpc/berth/sdk"
)

// environmentName is the file in the container's /dev that holds its environment. Nothing else would
// carry one unharmed: enroot closes descriptors, clears its own environment, and takes lines for variables.
const environmentName = ".berth-environment"

// layout is what containerDir of a container is being filled with.
type layout struct {
	dir    string
	mounts []fstab
	dev    string // the container's /dev; empty: it has the node's
	links  int
}

// fstab is one line of the table of mounts.
type fstab struct{ source, target, kind, options string }

func newLayout(bundle string) (*layout, error) {
	l := &layout{dir: filepath.Join(bundle, containerDir)}
	for _, dir := range []string{"", "config", "config/mounts.d", "config/environ.d", "config/hooks.d", "data", "run"} {
		if err := os.Mkdir(l.path(dir), 0o700); err != nil {
			return nil, making(err)
		}
	}
	return l, nil
}

func making(err error) error {
	return fmt.Errorf("making what enroot reads: %w", sdk.Mark(err, sdk.ErrUnavailable))
}

func (l *layout) path(name string) string { return filepath.Join(l.dir, name) }

// link gives the root file system the name by which enroot starts it.
func (l *layout) link(rootfs string) error {
	if err := os.Symlink(rootfs, l.path("data/"+unpackedName)); err != nil {
		return making(err)
	}
	return nil
}

// hooks has enroot run the site's, in their order.
func (l *layout) hooks(hooks []string) error {
	for n, hook := range hooks {
		if _, err := os.Stat(hook); err != nil {
			return sdk.WithAdvice(
				fmt.Errorf("setting hooks: %w", sdk.Mark(err, sdk.ErrUnavailable)),
				"install the hook, or take it out of hooks in [drivers.enroot] of berth.toml")
		}
		if err := os.Symlink(hook, l.path(fmt.Sprintf("config/hooks.d/%02d-%s", n, filepath.Base(hook)))); err != nil {
			return making(err)
		}
	}
	return nil
}

// environment writes variables where the container sees them, readable by its user alone.
func (l *layout) environment(name string, env []string) (string, error) {
	file := filepath.Join(l.dev, name)
	text := strings.Join(append(env[:len(env):len(env)], ""), "\x00")
	if err := os.WriteFile(file, []byte(text), 0o400); err != nil {
		return "", fmt.Errorf("writing the environment: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return file, nil
}

// writeConfig writes the files that enroot reads its mounts and variables from. The one variable makes
// berth-init the shell: then none runs, and the image need not have one.
func (l *layout) writeConfig(shell string) error {
	var table strings.Builder
	for _, m := range l.mounts {
		fmt.Fprintf(&table, "%s %s %s %s 0 0\n", m.source, m.target, m.kind, m.options)
	}
	for name, text := range map[string]string{
		"config/mounts.d/berth.fstab": table.String(),
		"config/environ.d/berth.env":  "SHELL=" + shell + "\n",
	} {
		if err := os.WriteFile(l.path(name), []byte(text), 0o600); err != nil {
			return making(err)
		}
	}
	return nil
}

// source returns a name for what is to be mounted that a line of the table can hold as it is.
func (l *layout) source(path string) (string, error) {
	if plain(path) {
		return path, nil
	}
	l.links++
	link := l.path(fmt.Sprintf("source%d", l.links))
	if err := os.Symlink(path, link); err != nil {
		return "", making(err)
	}
	return link, nil
}

// plain says whether a path means itself in a table of mounts: white space ends it, a backslash begins
// an octal number, ${ a variable, and # a comment.
func plain(path string) bool {
	for _, r := range path {
		if r <= ' ' || strings.ContainsRune("\\$#", r) {
			return false
		}
	}
	return true
}
