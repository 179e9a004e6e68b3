package dispatch

import (
	"context"
	"errors"
	"fmt"
	"path/filepath"

	"github.com/berth-hpc/berth/host/supervise"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// pidFile is the file in a container's directory in which a supervised container's runtime writes its pid.
const pidFile = "pid"

// supervision is what a plan whose container this process supervises needs besides.
type supervision struct {
	callersPidFile string
	console        *supervise.Console // nil: the container has no terminal
	remove         func() error       // the directory of the console's socket
}

// supervised plans the creation of a container that this process then supervises. refused is what the
// driver said to Run: it stands where the driver cannot create either.
func (p *Plan) supervised(ctx context.Context, d *Driver, c *sdk.Container, refused error) (*sdk.Command, error) {
	create := *c
	create.IO.PidFile = filepath.Join(p.dir.Path(), pidFile)
	p.supervision = &supervision{callersPidFile: c.IO.PidFile}
	if p.needsTerminal {
		dir, remove, err := p.host.scratch()
		if err != nil {
			return nil, err
		}
		p.supervision.remove = remove
		create.IO.ConsoleSocket = filepath.Join(dir, "terminal")
		if p.supervision.console, err = supervise.Listen(create.IO.ConsoleSocket); err != nil {
			return nil, err
		}
	}
	cmd, err := d.Create(ctx, &create)
	if !errors.Is(err, sdk.ErrUnsupported) {
		return cmd, err
	}
	if refused.Error() == fmt.Sprintf("driver %q: %v", d.Name, sdk.ErrUnsupported) { // and no reason
		refused = fmt.Errorf("running a container: %w", refused)
	}
	return nil, refused
}

func (s *supervision) end() error {
	if s.console != nil {
		s.console.Close()
	}
	if s.remove == nil {
		return nil
	}
	remove := s.remove
	s.remove = nil
	return remove()
}

// supervise runs the container and returns its exit status.
func (p *Plan) supervise() (int, error) {
	c := &container{host: p.host, dir: p.dir, record: p.record}
	status, deleted, err := supervise.Run(p.host.Guard, p.Command, &supervisedContainer{plan: p, container: c}, p.supervision.console)
	if err != nil {
		p.Discard()
		return 0, fmt.Errorf("driver %q: %w", p.Driver, err)
	}
	if deleted != nil {
		p.host.Log.Warn("deleting a container that has ended", "id", p.dir.ID(), "error", deleted)
	}
	p.endSupervision()
	if deleted == nil && !p.record.Kept { // else it is for a delete that is to come
		p.discardEnded()
	}
	return status, nil
}

// discardEnded removes the directory of a container that has ended, unless somebody is deleting it.
func (p *Plan) discardEnded() {
	ctx, cancel := limit.WithTimeout(context.WithoutCancel(p.host.Guard.Context()), p.host.Config.Deadlines.Delete, "not deleted")
	defer cancel()
	if err := p.dir.Lock(ctx); errors.Is(err, sdk.ErrNotFound) || errors.Is(err, sdk.ErrState) {
		p.dir.Close()
		return
	}
	p.Discard()
}

// endSupervision gives the terminal back and removes what it took.
func (p *Plan) endSupervision() {
	if err := p.supervision.end(); err != nil {
		p.host.Log.Warn("removing the directory of a terminal's socket", "error", err)
	}
}
