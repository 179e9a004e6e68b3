package dispatch

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// container is one container that exists: its directory and its record.
type container struct {
	host   *Host
	dir    *state.Dir
	record state.Record
	pool   *pool // drivers to share; nil: one of its own for each call
}

// find opens a container. A damaged record is no error: the effective bundle then tells which
// driver it was, and the rest is unknown.
func (h *Host) find(id string) (*container, error) {
	root, err := h.Root()
	if err != nil {
		return nil, err
	}
	dir, err := root.Find(id)
	if err != nil {
		return nil, err
	}
	c := &container{host: h, dir: dir}
	c.record, err = dir.Record()
	if err == nil && c.goneWithRuntime() {
		dir.Close()
		return nil, h.forget(id)
	}
	var corrupt *state.CorruptError
	if errors.As(err, &corrupt) {
		h.Log.Warn("the container's record is damaged", "error", err)
		c.record, err = c.recovered(id)
	}
	if errors.Is(err, sdk.ErrNotFound) { // somebody is just removing it
		err = gone(id)
	}
	if err != nil {
		dir.Close()
		return nil, err
	}
	return c, nil
}

// goneWithRuntime says whether a container is one that the host takes for gone. An anchor's has no
// runtime that would know it.
func (c *container) goneWithRuntime() bool {
	if !c.host.GoneWithRuntime || c.record.Operation == state.ByAnchor {
		return false
	}
	dead, err := c.dir.Dead()
	return err == nil && dead
}

// isGone says whether no container has the ID, having removed what was left of one that is gone.
func (h *Host) isGone(id string) bool {
	c, err := h.find(id)
	if err == nil {
		c.close()
	}
	return errors.Is(err, sdk.ErrNotFound)
}

// forget removes what is left of a container that is gone, and says that there is none.
func (h *Host) forget(id string) error {
	ctx, cancel := limit.WithTimeout(h.Guard.Context(), h.Config.Deadlines.Delete, "not deleted")
	defer cancel()
	if err := h.removeAgain(ctx, id); err != nil {
		h.Log.Warn("removing what is left of a container", "id", id, "error", err)
	}
	return gone(id)
}

func gone(id string) error {
	return sdk.Mark(fmt.Errorf("container %q does not exist", id), sdk.ErrNotFound)
}

// recovered is what the effective bundle says of a container whose record is damaged.
func (c *container) recovered(id string) (state.Record, error) {
	record := state.Record{ID: id, UID: os.Geteuid(), Bundle: c.dir.Path()}
	data, err := os.ReadFile(filepath.Join(c.dir.Path(), sdk.ConfigFile))
	if err != nil {
		return record, nil // nothing was ever started: the bundle comes before the driver
	}
	var config struct {
		Annotations map[string]string `json:"annotations"`
	}
	if err := json.Unmarshal(data, &config); err != nil {
		return record, sdk.Mark(fmt.Errorf("container %q: record and config.json are both damaged", id), sdk.ErrState)
	}
	record.Driver = config.Annotations[DriverAnnotation]
	return record, nil
}

func (c *container) close() { c.dir.Close() }

// request is what a driver is told of the container.
func (c *container) request() (*sdk.Container, error) {
	root, err := c.dir.RuntimeRoot()
	if err != nil {
		return nil, err
	}
	r := &sdk.Container{ID: c.dir.ID(), Bundle: c.dir.Path(), Root: root}
	if alive, err := c.record.Alive(); err == nil && alive {
		r.Pid = c.record.Pid
	}
	return r, nil
}

// ask asks the container's driver, as long as the deadline allows.
func (c *container) ask(ctx context.Context, call func(context.Context, *Driver, *sdk.Container) error) error {
	drivers := c.pool
	if drivers == nil {
		drivers = newPool(c.host)
		defer drivers.close()
	}
	d, err := drivers.get(ctx, c.record.Driver)
	if err != nil {
		return err
	}
	request, err := c.request()
	if err != nil {
		if _, recordErr := c.dir.Record(); errors.Is(recordErr, sdk.ErrNotFound) {
			return gone(c.dir.ID()) // it ended meanwhile
		}
		return err
	}
	err = call(ctx, d, request)
	if _, recordErr := c.dir.Record(); errors.Is(recordErr, sdk.ErrNotFound) {
		_ = c.host.removeAgain(ctx, c.dir.ID()) // it ended meanwhile; else a sweep does it
	}
	if err != nil && sdk.Kind(err) == nil {
		drivers.drop(d)
	}
	return c.host.explain(d.Name, err)
}

// alive says whether the recorded process runs; what cannot be told counts as running.
func (c *container) alive() bool {
	if c.record.Pid == 0 {
		return false
	}
	alive, err := c.record.Alive()
	return alive || err != nil
}
