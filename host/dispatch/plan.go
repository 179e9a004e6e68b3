package dispatch

import (
	"fmt"

	"github.com/berth-hpc/berth/host/anchor"
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
	supervision   *supervision // nil: Command is the container
	bundle        string       // the caller's own, which the driver gets; empty: the one in dir
	io            sdk.IO       // what this process gives the container, since its driver knows no such thing
	gate          *anchor.Gate // what Hold waits at
	rows, columns int          // of the terminal that this process makes; 0: unknown
}

// Execute replaces the process by the plan. It returns where it could not, with the reason, and nothing
// is left behind then; or with the exit status of a container that it has supervised.
func (p *Plan) Execute() (status int, err error) {
	if p.needsTerminal && !IsTerminal(0) {
		p.Discard()
		return 0, errNoTerminal()
	}
	if p.supervision != nil {
		return p.supervise()
	}
	if p.made {
		// One that is created is there once its runtime says so, not before.
		p.record.Creating = p.record.Operation == opCreate
		if err := p.dir.WriteRecord(p.record); err != nil {
			p.Discard()
			return 0, fmt.Errorf("recording the container: %w", err)
		}
	}
	err = p.host.Guard.Exec(p.Command)
	p.Discard()
	return 0, fmt.Errorf("driver %q: %w", p.Driver, sdk.Mark(err, sdk.ErrUnavailable))
}

// Supervised says whether Command only creates the container: this process then stays until it has ended.
func (p *Plan) Supervised() bool { return p.supervision != nil }

// Discard undoes what making the plan has left on the node.
func (p *Plan) Discard() {
	if p.supervision != nil {
		p.endSupervision()
	}
	if !p.made {
		p.dir.Close()
		return
	}
	if err := p.dir.Remove(); err != nil {
		p.host.Log.Warn("removing the container's directory", "path", p.dir.Path(), "error", err)
	}
	p.dir.Close()
}
