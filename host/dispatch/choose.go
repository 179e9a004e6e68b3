package dispatch

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/berth-hpc/berth/host/config"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// DriverAnnotation is the annotation by which a bundle asks for a driver; in the effective bundle
// it names the one that was chosen.
const DriverAnnotation = "org.berth.driver"

// DriverVariable is the environment variable by which a job asks for a driver.
const DriverVariable = "BERTH_DRIVER"

// clusterDriver is the driver whose containers run on other nodes.
const clusterDriver = "slurm"

// wish is a job's own choice of driver: by option, or by the variable in its environment.
func (h *Host) wish(option string) (driver, from string) {
	if option != "" {
		return option, "--driver"
	}
	if driver := h.getenv(DriverVariable); driver != "" {
		return driver, DriverVariable
	}
	return "", ""
}

// choose finds the driver for a request. bundleWish is the bundle's annotation, which counts only
// where the job does not ask in another way.
func (h *Host) choose(r *Request, bundleWish string) (config.Choice, error) {
	q := r.Match
	q.Container = r.container()
	q.Wish, q.WishFrom = h.wish(r.Driver)
	if q.Wish == "" && bundleWish != "" {
		q.Wish, q.WishFrom = bundleWish, "annotation "+DriverAnnotation
	}
	if q.Wish != "" {
		q.Known, _ = h.Installed()
	}
	return h.Config.Choose(q)
}

// starting is a driver on its way, so that it starts while the host reads the bundle.
type starting struct {
	choice config.Choice
	cancel context.CancelFunc
	done   chan struct{}
	driver *Driver
	err    error
}

// start starts the chosen driver without waiting for it. The caller must wait or drop it.
func (h *Host) start(ctx context.Context, choice config.Choice) *starting {
	ctx, cancel := context.WithCancel(ctx)
	s := &starting{choice: choice, cancel: cancel, done: make(chan struct{})}
	go func() {
		defer close(s.done)
		if choice.Driver == config.Auto {
			s.driver, s.err = h.firstUsable(ctx)
		} else {
			s.driver, s.err = h.OpenDriver(ctx, choice.Driver)
		}
	}()
	return s
}

func (s *starting) wait() (*Driver, error) {
	<-s.done
	return s.driver, s.err
}

// name returns the driver's name, which is known at once unless the choice is "auto".
func (s *starting) name() (string, error) {
	if s.choice.Driver != config.Auto {
		return s.choice.Driver, nil
	}
	d, err := s.wait()
	if err != nil {
		return "", err
	}
	return d.Name, nil
}

// drop ends the driver, wherever its start has come to. It can be called again.
func (s *starting) drop() {
	s.cancel()
	if d, err := s.wait(); err == nil {
		d.Close()
	}
}

// candidates is the order in which "auto" tries drivers: those of the configuration first, then
// crun before runc, since it starts faster, then what else is installed. The cluster is no runtime of
// the node: a driver that submits jobs is asked for by name, also on the node where such a job runs.
func (h *Host) candidates() ([]string, error) {
	installed, err := h.Installed()
	if err != nil {
		return nil, err
	}
	var names []string
	add := func(name string) {
		if name != clusterDriver && !slices.Contains(names, name) {
			names = append(names, name)
		}
	}
	for _, name := range sortedKeys(h.Config.Drivers) {
		add(name)
	}
	for _, name := range []string{"crun", "runc"} {
		if slices.Contains(installed, name) {
			add(name)
		}
	}
	for _, name := range installed {
		add(name)
	}
	return names, nil
}

// firstUsable starts drivers until one's check passes.
func (h *Host) firstUsable(ctx context.Context) (*Driver, error) {
	names, err := h.candidates()
	if err != nil {
		return nil, err
	}
	var reasons []string
	for _, name := range names {
		d, err := h.OpenDriver(ctx, name)
		if err == nil {
			err = h.check(ctx, d)
			if err == nil {
				return d, nil
			}
			d.Close()
		}
		if errors.As(err, new(*sdk.SettingError)) { // a mistake of the site's, not a lack of the node's
			return nil, h.explain(name, err)
		}
		if ctx.Err() != nil {
			return nil, context.Cause(ctx)
		}
		h.Log.Debug("driver passed over", "driver", name, "reason", err)
		reasons = append(reasons, err.Error())
	}
	if len(names) == 0 {
		err := sdk.Mark(fmt.Errorf("no driver is installed in %s", h.Layout.Drivers), sdk.ErrUnavailable)
		return nil, sdk.WithAdvice(err, "install berth's drivers there")
	}
	err = sdk.Mark(fmt.Errorf("no driver works on this node: %s", strings.Join(reasons, "; ")), sdk.ErrUnavailable)
	return nil, sdk.WithAdvice(err, "berth doctor says more")
}

func (h *Host) check(ctx context.Context, d *Driver) error {
	ctx, cancel := limit.WithTimeout(ctx, h.Config.Deadlines.Check, "no answer")
	defer cancel()
	_, err := d.Check(ctx)
	return err
}

func sortedKeys[V any](m map[string]V) []string {
	names := make([]string, 0, len(m))
	for name := range m {
		names = append(names, name)
	}
	slices.Sort(names)
	return names
}

// Choose says which driver a request would get and why. What the bundle asks for counts where it is
// loaded.
func (h *Host) Choose(r *Request) (config.Choice, error) {
	wish := ""
	if r.Loaded != nil {
		wish = r.Loaded.Annotations()[DriverAnnotation]
	}
	return h.choose(r, wish)
}
