// Package client is the host's side of a driver: it starts the driver's program, asks it, and ends
// it again, each within a bounded time and whatever the driver does.
package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"

	"github.com/berth-hpc/berth/sdk/internal/wire"
	"github.com/berth-hpc/berth/sdk/limit"
)

// Config says which driver to start and how.
type Config struct {
	Name     string          // for messages: "crun"
	Path     string          // absolute path of the program
	File     *os.File        // when set, this open file is executed instead of what Path names by then
	Env      []string        // the complete environment of the driver; nothing is inherited
	Settings json.RawMessage // the driver's table of berth.toml as a JSON object; nil: none
	Scratch  string          // absolute; private directory, mode 0700, of at most MaxScratch bytes, for the socket
	Log      hclog.Logger    // takes what the driver logs; nil: nobody
	// StartTimeout is how long the driver may take until it listens, on a node that is not busy (see
	// package limit); 0: DefaultStartTimeout.
	StartTimeout time.Duration
	// MayGainPrivileges leaves setuid programs working below the driver, for drivers whose
	// Prepare needs newuidmap or fusermount.
	MayGainPrivileges bool
}

// DefaultStartTimeout is how long a driver may take from its start to its handshake line.
const DefaultStartTimeout = 5 * time.Second

// MaxScratch is the greatest length of Config.Scratch, in bytes: it leaves room for the name of a
// socket in the 107 bytes that such a path may have (unix(7)).
const MaxScratch = 60

// Protocol is the version of the protocol that this host speaks.
const Protocol = wire.Version

// Driver is a running driver process. Its methods may be used by several goroutines; the driver
// sees one call at a time.
type Driver struct {
	name   string
	proc   *process
	rpc    goplugin.ClientProtocol // nil before the handshake
	wire   *wire.Client
	ending sync.Once
}

// Start starts the driver and waits until it listens, at most for Config.StartTimeout. The caller
// must Close it. Errors name the driver and are one line: the program cannot be executed, it ended
// at once, what it wrote is no handshake, it speaks another version of the protocol. Where ctx ends
// first, the error is its cause.
func Start(ctx context.Context, cfg Config) (d *Driver, err error) {
	if cfg.StartTimeout == 0 {
		cfg.StartTimeout = DefaultStartTimeout
	}
	if cfg.Log == nil {
		cfg.Log = hclog.NewNullLogger()
	}
	limited, cancel := limit.WithTimeout(ctx, cfg.StartTimeout, "not ready")
	defer cancel()
	d = &Driver{name: cfg.Name, proc: newProcess(limited, cfg)}
	if err := d.start(cfg); err != nil {
		switch {
		case ctx.Err() != nil:
			err = context.Cause(ctx)
		case limited.Err() != nil && !errors.As(err, new(*handshakeError)):
			err = context.Cause(limited)
		}
		how := d.proc.howEnded() // of itself, not by Close
		d.Close()                // so that its last words are all there
		err = d.explain(err, how)
		return nil, fmt.Errorf("driver %q: %w", cfg.Name, err)
	}
	return d, nil
}

func (d *Driver) start(cfg Config) (err error) {
	defer func() {
		// A driver must not be able to crash the host through a fault of go-plugin's.
		if r := recover(); r != nil {
			err = fmt.Errorf("starting it: %v", r)
		}
	}()
	if !filepath.IsAbs(cfg.Scratch) || len(cfg.Scratch) > MaxScratch {
		return fmt.Errorf("the directory for its socket, %q, is not an absolute path of at most %d bytes", cfg.Scratch, MaxScratch)
	}
	// The one way to stop go-plugin from waiting for a driver that hangs is to end the driver.
	defer context.AfterFunc(d.proc.ctx, d.proc.kill)()
	d.rpc, err = goplugin.NewClient(pluginConfig(d.proc)).Client()
	if err != nil {
		return err
	}
	service, err := d.rpc.Dispense(service)
	if err != nil {
		return err
	}
	conn := service.(*grpc.ClientConn)
	conn.Connect()
	d.wire = wire.NewClient(conn, cfg.Settings)
	wire.Warm() // until here, and a little longer, the driver is starting
	<-d.proc.ready
	if d.proc.refuse != nil {
		return d.proc.refuse
	}
	return d.proc.ctx.Err()
}

// Close ends the driver and everything in its process group by SIGKILL, reaps it, and removes its
// socket. A driver that has answered has nothing left to do. Close returns in well under a second
// whatever the driver does, and can be called again.
func (d *Driver) Close() {
	d.ending.Do(func() {
		d.proc.end()
		if d.rpc != nil {
			_ = d.rpc.Close() // sends nothing: see extras
		}
	})
}

// Pid is the driver's process, for messages and tests.
func (d *Driver) Pid() int { return d.proc.id() }
