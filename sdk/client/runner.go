package client

import (
	"context"
	"fmt"
	"io"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/sdk/internal/wire"
)

// The rest of go-plugin's runner.Runner.

// Wait implements runner.Runner.
func (p *process) Wait(context.Context) error { <-p.ended; return nil }

// Kill implements runner.Runner.
func (p *process) Kill(context.Context) error { p.kill(); return nil }

// Stdout implements runner.Runner. go-plugin gets a handshake that says what every driver's says, so
// that it makes its client while the driver starts; the driver's own is checked before dial dials.
func (p *process) Stdout() io.ReadCloser {
	line := fmt.Sprintf("%d|%d|unix|%s|grpc|\n", wire.CoreVersion, wire.Version, filepath.Join(p.socketDir, "driver"))
	return io.NopCloser(strings.NewReader(line))
}

// Stderr implements runner.Runner; go-plugin is not to read the log.
func (p *process) Stderr() io.ReadCloser { return io.NopCloser(strings.NewReader("")) }

// Name implements runner.Runner.
func (p *process) Name() string { return p.cfg.Path }

// ID implements runner.Runner.
func (p *process) ID() string { return strconv.Itoa(p.id()) }

// Diagnose implements runner.Runner; Start has said it all.
func (p *process) Diagnose(context.Context) string { return "" }

// PluginToHost implements runner.AddrTranslator: driver and host share a file system.
func (p *process) PluginToHost(network, addr string) (string, string, error) {
	return network, addr, nil
}

// HostToPlugin implements runner.AddrTranslator.
func (p *process) HostToPlugin(network, addr string) (string, string, error) {
	return network, addr, nil
}
