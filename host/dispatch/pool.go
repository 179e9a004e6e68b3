package dispatch

import "context"

// pool keeps drivers running for a while, for an operation on many containers.
type pool struct {
	host    *Host
	drivers map[string]*Driver
}

func newPool(h *Host) *pool { return &pool{host: h, drivers: map[string]*Driver{}} }

// get returns the driver of that name, started where it does not run yet.
func (p *pool) get(ctx context.Context, name string) (*Driver, error) {
	if d, ok := p.drivers[name]; ok {
		return d, nil
	}
	d, err := p.host.OpenDriver(ctx, name)
	if err == nil {
		p.drivers[name] = d
	}
	return d, err
}

// drop ends a driver that may not be fit for another call.
func (p *pool) drop(d *Driver) {
	delete(p.drivers, d.Name)
	d.Close()
}

func (p *pool) close() {
	for _, d := range p.drivers {
		d.Close()
	}
}
