package dispatch

import (
	"context"
	"crypto/subtle"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strings"
	"sync"

	"github.com/hashicorp/go-hclog"

	"github.com/berth-hpc/berth/host/trust"
	"github.com/berth-hpc/berth/internal/nearest"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
)

// Driver is a driver process that this host started.
type Driver struct {
	*client.Driver
	Name string

	removeScratch func() error // once, however often it is called
	log           hclog.Logger
}

// Close ends the driver; see client.Driver. It can be called again.
func (d *Driver) Close() {
	d.Driver.Close()
	if err := d.removeScratch(); err != nil {
		d.log.Warn("removing the directory of a driver's socket", "error", err)
	}
}

// OpenDriver starts the driver of that name. Errors name it: sdk.ErrUnavailable where its file is
// missing or not to be trusted.
func (h *Host) OpenDriver(ctx context.Context, name string) (*Driver, error) {
	file, err := h.driverFile(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return h.startDriver(ctx, name, file, false)
}

// openPreparer is OpenDriver for Prepare and Release, which may need setuid programs such as newuidmap
// and fusermount.
func (h *Host) openPreparer(ctx context.Context, name string) (*Driver, error) {
	file, err := h.driverFile(name)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return h.startDriver(ctx, name, file, true)
}

// driverFile opens the program of a driver, checked for who could have changed it and for its
// checksum where the configuration pins one.
func (h *Host) driverFile(name string) (*os.File, error) {
	about := h.Config.Driver(name)
	file, err := h.openDriverFile(name, about.Path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, h.missingDriver(name, about.Path)
	}
	if err != nil {
		return nil, fmt.Errorf("driver %q: %w", name, err)
	}
	if about.SHA256 == "" {
		return file, nil
	}
	sum, err := trust.Digest(file)
	if err == nil && subtle.ConstantTimeCompare([]byte(sum), []byte(about.SHA256)) == 1 {
		return file, nil
	}
	file.Close()
	if err == nil {
		err = fmt.Errorf("%s has the checksum %s, not the one in %s", file.Name(), sum, h.Config.SettingPosition(name, "sha256"))
	}
	return nil, fmt.Errorf("driver %q: %w", name, sdk.Mark(err, sdk.ErrUnavailable))
}

func (h *Host) openDriverFile(name, path string) (*os.File, error) {
	if path != "" {
		return h.Trust.Open(path)
	}
	return h.Trust.OpenDriver(h.Layout.Drivers, name)
}

func (h *Host) missingDriver(name, path string) error {
	if path != "" {
		err := fmt.Errorf("driver %q: there is no file %s", name, path)
		return sdk.WithAdvice(sdk.Mark(err, sdk.ErrUnavailable), "correct drivers."+name+".path in "+h.Config.Source)
	}
	names, _ := h.Installed()
	err := sdk.Mark(fmt.Errorf("unknown driver %q", name), sdk.ErrUnavailable)
	switch near := nearest.To(name, names); {
	case near != "":
		return sdk.WithAdvice(err, fmt.Sprintf("did you mean %q?", near))
	case len(names) > 0:
		return sdk.WithAdvice(err, "installed drivers: "+strings.Join(names, ", "))
	default:
		return sdk.WithAdvice(err, "no driver is installed in "+h.Layout.Drivers)
	}
}

func (h *Host) startDriver(ctx context.Context, name string, file *os.File, mayGainPrivileges bool) (*Driver, error) {
	if err := executable(file); err != nil {
		return nil, fmt.Errorf("driver %q: %w", name, err)
	}
	scratch, remove, err := h.scratch()
	if err != nil {
		return nil, fmt.Errorf("driver %q: making a directory for its socket: %w", name, err)
	}
	about := h.Config.Driver(name)
	cfg := client.Config{
		Name: name, Path: file.Name(), Env: h.driverEnv(), Settings: about.Settings,
		Scratch: scratch, Log: h.Log, StartTimeout: h.Config.Deadlines.Handshake,
		MayGainPrivileges: mayGainPrivileges || about.Sudo() != "",
	}
	if about.SHA256 != "" {
		cfg.File = file // what was hashed is what runs
	}
	d, err := client.Start(ctx, cfg)
	if err != nil {
		return nil, errors.Join(sdk.Mark(err, sdk.ErrUnavailable), remove())
	}
	return &Driver{Driver: d, Name: name, removeScratch: sync.OnceValue(remove), log: h.Log}, nil
}

func executable(file *os.File) error {
	info, err := file.Stat()
	if err != nil {
		return err
	}
	if info.Mode()&0o111 == 0 {
		err := sdk.Mark(fmt.Errorf("%s is not executable", file.Name()), sdk.ErrUnavailable)
		return sdk.WithAdvice(err, "chmod 755 "+file.Name())
	}
	return nil
}

// scratch makes the directory for a driver's socket.
func (h *Host) scratch() (string, func() error, error) {
	root, err := h.Root()
	if err != nil {
		return "", nil, err
	}
	return root.Scratch()
}

// explain gives an error about a setting the place where the setting stands.
func (h *Host) explain(name string, err error) error {
	var setting *sdk.SettingError
	if !errors.As(err, &setting) {
		return err
	}
	if at := h.Config.SettingPosition(name, setting.Key); at != "" {
		return fmt.Errorf("%s: %w", at, err)
	}
	return err
}
