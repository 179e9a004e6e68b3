// Package dispatch takes one operation on a container from request to plan: it chooses the
// driver, lets policy judge the bundle, writes the effective bundle and the record, and asks the
// driver. It knows no front door.
package dispatch

import (
	"fmt"
	"os"
	"sync"

	"github.com/hashicorp/go-hclog"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/config"
	"github.com/berth-hpc/berth/host/handoff"
	"github.com/berth-hpc/berth/host/layout"
	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/host/trust"
	"github.com/berth-hpc/berth/sdk"
)

// Host is one call of berth: what it needs to know of the node to serve one operation.
type Host struct {
	Layout layout.Layout
	Config *config.Config
	Trust  trust.Rules
	Env    []string // the environment that berth was called with
	Log    hclog.Logger
	Guard  *handoff.Guard
	// Progress begins to show how far a driver's Prepare has come; nil: nobody wants to know.
	Progress func() (report func(sdk.Progress), done func())
	// RecordsInSystemOnly keeps containers out of $XDG_RUNTIME_DIR, for front doors whose other
	// calls come without that variable.
	RecordsInSystemOnly bool
	// GoneWithRuntime: a container that no process is, and of which its runtime knows nothing, does not
	// exist; else it is stopped, until it is deleted. Runtimes see containers so that they could not
	// create, or have run to their end.
	GoneWithRuntime bool
	// RecordsIn is a directory that the caller names for containers of its own; empty: none.
	RecordsIn string

	root  func() (*state.Root, error)
	umask int // that the host was called with
}

// New looks at the node and reads the configuration. env is the caller's environment; with debug
// everything is logged, to stderr, whatever the configuration says.
func New(env []string, guard *handoff.Guard, debug bool) (*Host, error) {
	files, err := layout.Find()
	if err != nil {
		return nil, err
	}
	h := &Host{Layout: files, Env: env, Guard: guard}
	h.Trust = trust.Rules{Caller: os.Geteuid(), Root: trust.SeenRoot(), BuildOwner: -1}
	if files.BuildTree {
		h.Trust.BuildOwner = files.Owner
	}
	h.Config, err = config.Load(h.Trust.Open, files.Config)
	if err != nil {
		return nil, fmt.Errorf("reading the configuration: %w", err)
	}
	log := h.Config.Log
	if debug {
		log = config.Log{Level: "debug"}
	}
	h.Log, err = openLog(log)
	if err != nil {
		return nil, err
	}
	h.root = sync.OnceValues(h.openRoot)
	h.umask = unix.Umask(0)
	unix.Umask(h.umask)
	return h, nil
}

func (h *Host) openRoot() (*state.Root, error) {
	place := state.Place{System: state.DefaultSystem, Own: h.RecordsIn, UID: os.Geteuid()}
	if !h.RecordsInSystemOnly {
		place.UserRuntimeDir = h.getenv("XDG_RUNTIME_DIR")
	}
	return state.Open(place)
}

// Root returns the directory of this user's containers, made where it is missing.
func (h *Host) Root() (*state.Root, error) { return h.root() }

func openLog(c config.Log) (hclog.Logger, error) {
	options := &hclog.LoggerOptions{Name: "berth", Level: hclog.LevelFromString(c.Level), Output: os.Stderr}
	if c.File != "" {
		f, err := os.OpenFile(c.File, os.O_WRONLY|os.O_APPEND|os.O_CREATE, 0o600)
		if err != nil {
			return nil, sdk.Mark(fmt.Errorf("opening the log: %w", err), sdk.ErrUnavailable)
		}
		options.Output = f
	}
	return hclog.New(options), nil
}

// Installed lists the names of the drivers in the driver directory, sorted.
func (h *Host) Installed() ([]string, error) { return h.Layout.Installed() }
