package client

import (
	"context"
	"io"
	"strconv"
	"strings"
)

// The rest of go-plugin's runner.Runner.

// Wait implements runner.Runner.
func (p *process) Wait(context.Context) error { <-p.ended; return nil }

// Kill implements runner.Runner.
func (p *process) Kill(context.Context) error { p.kill(); return nil }

// Stdout implements runner.Runner.
func (p *process) Stdout() io.ReadCloser { return io.NopCloser(p.stdout) }

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
