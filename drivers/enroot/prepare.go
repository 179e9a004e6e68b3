package main

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/berth-hpc/berth/sdk"
)

// unpackedName is what enroot's create and remove call the only container of a data directory of ours.
const unpackedName = "image"

// Prepare implements sdk.Preparer: it imports and unpacks the image of the task that leads. Until it is
// whole it has a name of its own, so that whoever takes over from a Prepare that died has nothing to do
// with what that one's enroot may still be writing.
func (d *driver) Prepare(ctx context.Context, c *sdk.Container, progress func(sdk.Progress)) error {
	i, err := d.wanted(c)
	if err != nil || !i.shared() {
		return err
	}
	data, err := d.dataDir(c.Step)
	if err != nil {
		return err
	}
	done := filepath.Join(data, i.name())
	if _, err := os.Stat(done); err == nil {
		return nil
	}
	if _, err := d.version(ctx); err != nil {
		return err
	}
	if err := os.Mkdir(data, 0o700); err != nil && !errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("making a directory for images: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	work, err := os.MkdirTemp(data, "new.")
	if err != nil {
		return fmt.Errorf("making a directory for images: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	if err := d.unpack(ctx, c.Step, i, work, progress); err != nil {
		return err
	}
	if err := os.Rename(work, done); err != nil {
		return fmt.Errorf("keeping the unpacked image: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}

// wanted is the image of a container that the driver can run: nothing is imported for one that it cannot.
func (d *driver) wanted(c *sdk.Container) (*image, error) {
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
	return d.image(spec, c)
}

// unpack has enroot make a root file system in work/data.
func (d *driver) unpack(ctx context.Context, step *sdk.Step, i *image, work string, progress func(sdk.Progress)) error {
	needed := filepath.Join(work, "needed") // by the import only
	p := paths{
		runtime: filepath.Join(needed, "run"), cache: filepath.Join(needed, "cache"), data: filepath.Join(work, "data"),
		temp: needed, home: home(step), config: userConfig(step),
	}
	if d.settings.Cache != "" {
		var err error
		if p.cache, err = ownDir(d.settings.Cache, "cache"); err != nil {
			return err
		}
	}
	if err := os.Mkdir(needed, 0o700); err != nil {
		return fmt.Errorf("making a directory for enroot: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	file := i.file
	if i.uri != "" {
		file = filepath.Join(needed, "image.sqsh")
		progress(sdk.Progress{Text: "importing " + i.uri})
		if err := d.call(ctx, step, p, "importing "+i.uri, progress, "import", "-o", file, "--", i.uri); err != nil {
			return err
		}
	}
	size := int64(0)
	if info, err := os.Stat(file); err == nil {
		size = info.Size()
	}
	progress(sdk.Progress{Text: "unpacking image", Total: size})
	if err := d.call(ctx, step, p, "unpacking image", progress, "create", "-n", unpackedName, "--", file); err != nil {
		return err
	}
	progress(sdk.Progress{Text: "unpacking image", Done: size, Total: size})
	return d.remove(ctx, step, work, "needed")
}

// userConfig is where the user's credentials for registries are.
func userConfig(step *sdk.Step) string {
	if dir := variable(step, "ENROOT_CONFIG_PATH"); dir != "" {
		return dir
	}
	if dir := variable(step, "XDG_CONFIG_HOME"); dir != "" {
		return filepath.Join(dir, "enroot")
	}
	return filepath.Join(home(step), ".config/enroot")
}

// Release implements sdk.Preparer. All that it removes lies below the step's own directory: a container
// of the user's is never there.
func (d *driver) Release(ctx context.Context, s *sdk.Step) error {
	data, err := d.dataDir(s)
	if err != nil {
		return err
	}
	entries, err := os.ReadDir(data)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	if err != nil {
		return fmt.Errorf("reading the step's images: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	for _, entry := range entries {
		if err := d.remove(ctx, s, data, entry.Name()); err != nil {
			return err
		}
	}
	if err := os.Remove(data); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("removing the step's images: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}

// remove has enroot remove a directory as if it were a container's: it stays on one file system, and
// manages with directories that their owner cannot write.
func (d *driver) remove(ctx context.Context, s *sdk.Step, parent, name string) error {
	if err := d.present(); err != nil {
		return err
	}
	p := paths{runtime: parent, cache: parent, data: parent, temp: parent, config: parent}
	return d.call(ctx, s, p, "removing what was unpacked", func(sdk.Progress) {}, "remove", "-f", "--", name)
}
