package dispatch

import (
	"fmt"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/sdk"
)

// Plan is a driver's answer, ready to be executed. The driver that made it has ended.
type Plan struct {
	Command   *sdk.Command
	Driver    string
	Because   string // why this driver
	Container string // the container's directory
	Changes   []bundle.Change

	host   *Host
	dir    *state.Dir
	record state.Record
	made   bool // the directory was made for this plan
	// needsTerminal: the container gets a terminal, and nobody but our own stdin can be it.
	needsTerminal bool
}

// Execute replaces the process by the plan. It returns only where it could not, with the reason;
// nothing is left behind then.
func (p *Plan) Execute() error {
	if p.needsTerminal && !isTerminal(0) {
		p.Discard()
		return errNoTerminal()
	}
	if p.made {
		p.record.Creating = false
		if err := p.dir.WriteRecord(p.record); err != nil {
			p.Discard()
			return fmt.Errorf("recording the container: %w", err)
		}
	}
	err := p.host.Guard.Exec(p.Command)
	p.Discard()
	return fmt.Errorf("driver %q: %w", p.Driver, sdk.Mark(err, sdk.ErrUnavailable))
}

// Discard undoes what making the plan has left on the node.
func (p *Plan) Discard() {
	if !p.made {
		p.dir.Close()
		return
	}
	if err := p.dir.Remove(); err != nil {
		p.host.Log.Warn("removing the container's directory", "path", p.dir.Path(), "error", err)
	}
	p.dir.Close()
}
