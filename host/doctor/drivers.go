package doctor

import (
	"errors"
	"fmt"
	"os"
	"slices"
	"sync"

	"github.com/berth-hpc/berth/host/config"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// drivers asks every driver whether it can work.
func drivers() check {
	needed := fault{
		when: "one does not work that is the default, that a rule names, or that is the last one left to \"auto\"", status: StatusBroken,
		why:  "jobs that get this driver fail with status 125; berth takes no other in its place",
		mend: "berth driver check NAME",
	}
	other := fault{
		when: "another one does not work", status: StatusWarning,
		why:  "jobs that ask for this driver fail with status 125; \"auto\" passes it over",
		mend: needed.mend,
	}
	idle := fault{
		when: "another one has no runtime on this node, and berth.toml does not name it", status: StatusNote,
		why:  "berth brings drivers for more runtimes than a node needs",
		mend: needed.mend,
	}
	unasked := fault{
		when: "they cannot be asked, for want of a directory for their sockets", status: StatusNote,
		why:  "a driver listens on a socket in the container directory, and berth doctor makes none",
		mend: "install -d -m 1777 DIR",
	}
	return check{
		name: "drivers", about: "What every driver says of its runtime on this node. The command that mends it is the driver's own advice, where it gives any.",
		faults: []fault{needed, other, idle, unasked},
		look: func(e *examination) {
			names := e.driverNames()
			if e.Host == nil || len(names) == 0 {
				e.ok("no driver was asked: see above")
				return
			}
			if !e.canAsk() {
				e.found(unasked, plural(len(names), "driver")+" not asked: there is no container directory that could be used", "DIR", quote(e.State.System))
				return
			}
			answers := e.ask(names)
			for i, answer := range answers {
				switch {
				case answer.works():
					e.ok("driver %q: %s", names[i], answer)
				case e.needs(names[i], answers):
					e.foundError(needed, answer.err, firstOffer(sdk.Advice(answer.err)), "NAME", names[i])
				case answer.absent() && !e.configured(names[i]):
					e.foundError(idle, answer.err, firstOffer(sdk.Advice(answer.err)), "NAME", names[i])
				default:
					e.foundError(other, answer.err, firstOffer(sdk.Advice(answer.err)), "NAME", names[i])
				}
				if answer.runtime != nil {
					e.runtimes = append(e.runtimes, answer.runtime)
				}
			}
		},
	}
}

// driverNames lists the drivers that are installed or, where the configuration can be used, have a path
// in it, sorted.
func (e *examination) driverNames() []string {
	names, err := e.Layout.Installed()
	if err != nil {
		names = nil
	}
	if e.Host == nil {
		return names
	}
	for name, driver := range e.Host.Config.Drivers {
		if driver.Path != "" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	return slices.Compact(names)
}

// canAsk says whether drivers can be started without making the node's container directory, which
// root would.
func (e *examination) canAsk() bool {
	if err := e.lookup(); err != nil && !errors.Is(err, sdk.ErrNotFound) {
		return false
	}
	_, err := os.Stat(e.State.System)
	return err == nil || e.State.UID != 0 && e.State.UserRuntimeDir != ""
}

// answer is what a driver said.
type answer struct {
	runtime *sdk.Runtime
	err     error
}

// works says whether the driver can be used, for all it knows: one without a check of its own may be.
func (a answer) works() bool { return a.err == nil || errors.Is(a.err, sdk.ErrUnsupported) }

// absent says whether the runtime is not there at all.
func (a answer) absent() bool { return a.err != nil && a.runtime != nil && a.runtime.Path == "" }

func (a answer) String() string {
	if a.err != nil || a.runtime == nil {
		return "it has no check of its own"
	}
	return fmt.Sprintf("%s %s, %s", a.runtime.Name, a.runtime.Version, a.runtime.Path)
}

// ask starts all drivers at once, so that several that hang take no longer than one.
func (e *examination) ask(names []string) []answer {
	deadlines := e.Host.Config.Deadlines
	ctx, cancel := limit.WithTimeout(e.ctx, deadlines.Handshake+deadlines.Check, "no answer")
	defer cancel()
	answers := make([]answer, len(names))
	var wait sync.WaitGroup
	for i, name := range names {
		wait.Go(func() {
			found, err := e.Host.CheckDriver(ctx, name)
			answers[i] = answer{found, err}
		})
	}
	wait.Wait()
	return answers
}

// configured says whether berth.toml has a table for the driver.
func (e *examination) configured(name string) bool {
	_, ok := e.Host.Config.Drivers[name]
	return ok
}

// needs says whether the configuration gives a driver to jobs. "auto" needs any one of them.
func (e *examination) needs(name string, answers []answer) bool {
	named := []string{e.Host.Config.DefaultDriver}
	for _, rule := range e.Host.Config.Rules {
		named = append(named, rule.Driver)
	}
	return slices.Contains(named, name) || slices.Contains(named, config.Auto) && !slices.ContainsFunc(answers, answer.works)
}
