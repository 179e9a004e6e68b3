package drivertest

import (
	"cmp"
	"context"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/carried"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/launcher"
	"github.com/berth-hpc/berth/sdk/drivertest/internal/probe"
	"github.com/berth-hpc/berth/sdk/limit"
)

// kit is what the cases of one run share.
type kit struct {
	cfg   Config
	dir   string // private, with a short path, for it holds sockets
	probe string // the program for containers
	about *client.Description
	ids   idMaps
	boot  string // makes container IDs of this run its own

	cleaner *client.Driver // see byCleaner; nil: not started
}

// maxDir leaves room in the 108 bytes of a unix socket's path (unix(7)).
const maxDir = 40

func newKit(ctx context.Context, cfg Config) (k *kit, err error) {
	if err := cfg.check(); err != nil {
		return nil, err
	}
	dir, err := os.MkdirTemp("", "berth-kit-")
	if err == nil && len(dir) > maxDir {
		os.RemoveAll(dir)
		dir, err = os.MkdirTemp("/tmp", "berth-kit-")
	}
	if err != nil {
		return nil, fmt.Errorf("making a directory for the kit: %w", err)
	}
	k = &kit{cfg: cfg, dir: dir, probe: filepath.Join(dir, probe.Name), boot: filepath.Base(dir)}
	defer func() {
		if err != nil {
			k.close()
		}
	}()
	if err := k.placeProbe(); err != nil {
		return nil, fmt.Errorf("placing the program for containers: %w", err)
	}
	if k.ids, err = callersMaps(); err != nil {
		return nil, err
	}
	ctx, cancel := limit.WithTimeout(ctx, cfg.Timeout, "no description")
	defer cancel()
	return k, k.ask(ctx, nil, func(d *client.Driver) error {
		k.about, err = d.Describe(ctx)
		return err
	})
}

func (k *kit) close() {
	k.endCleaner()
	os.RemoveAll(k.dir)
}

// can says whether the driver names the capability in its description.
func (k *kit) can(capability string) bool { return slices.Contains(k.about.Capabilities, capability) }

// lacks says whether the configuration declares that the runtime lacks the feature.
func (k *kit) lacks(f Feature) bool { _, declared := k.cfg.Lacks[f]; return declared }

// ask starts the driver for one call, as the host does, and ends it. other overrides settings.
func (k *kit) ask(ctx context.Context, other map[string]any, call func(*client.Driver) error) error {
	scratch, err := os.MkdirTemp(k.dir, "s")
	if err != nil {
		return fmt.Errorf("making a directory for the driver's socket: %w", err)
	}
	defer os.RemoveAll(scratch)
	d, err := k.start(ctx, other, scratch)
	if err != nil {
		return err
	}
	defer d.Close()
	return call(d)
}

// start starts the driver; scratch is where its socket will be.
func (k *kit) start(ctx context.Context, other map[string]any, scratch string) (*client.Driver, error) {
	settings, err := k.cfg.settings(other)
	if err != nil {
		return nil, err
	}
	return client.Start(ctx, client.Config{
		Name: "tested", Path: k.cfg.Driver, Env: driverEnv(), Settings: settings, Scratch: scratch,
		StartTimeout: launcher.Abandoned, // ctx ends before that
	})
}

// driverEnv is the environment that the host builds for a driver.
func driverEnv() []string {
	env := []string{"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"}
	for _, name := range []string{"HOME", "USER", "XDG_RUNTIME_DIR"} {
		if value, ok := os.LookupEnv(name); ok {
			env = append(env, name+"="+value)
		}
	}
	return env
}

// call asks the driver and returns its error.
func (t *trial) call(f func(d *client.Driver) error) error {
	if t.open != nil {
		return f(t.open)
	}
	return t.ask(t.ctx, nil, f)
}

// together has all calls of f answered by one driver, where they have nothing to do with each other.
// Else each is answered by one of its own, as under the host, so that nothing a driver keeps in memory
// can help it.
func (t *trial) together(f func()) {
	err := t.ask(t.ctx, nil, func(d *client.Driver) error {
		t.open = d
		defer func() { t.open = nil }()
		f()
		return nil
	})
	if err != nil {
		t.Errorf("starting the driver: %v", err)
	}
}

// kindName is the kind of err in words.
func kindName(err error) string {
	switch kind := sdk.Kind(err); {
	case err == nil:
		return "no error"
	case kind == nil:
		return "an error of no kind"
	default:
		return fmt.Sprintf("%q", kind)
	}
}

// placeProbe puts the program for containers into the kit's directory.
func (k *kit) placeProbe() error {
	if program := carried.Probe(); k.cfg.Probe == "" && program != nil {
		return os.WriteFile(k.probe, program, 0o755)
	}
	return copyFile(k.probe, cmp.Or(k.cfg.Probe, k.cfg.Program), 0o755)
}

func copyFile(to, from string, mode os.FileMode) error {
	src, err := os.Open(from)
	if err != nil {
		return err
	}
	defer src.Close()
	dst, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, mode)
	if err != nil {
		return err
	}
	if _, err := io.Copy(dst, src); err != nil {
		dst.Close()
		return err
	}
	return dst.Close()
}
