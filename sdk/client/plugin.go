package client

import (
	"context"
	"errors"
	"math"
	"os/exec"
	"strings"

	"github.com/hashicorp/go-hclog"
	goplugin "github.com/hashicorp/go-plugin"
	"github.com/hashicorp/go-plugin/runner"
	"google.golang.org/grpc"
	"google.golang.org/grpc/codes"
	"google.golang.org/grpc/status"

	"github.com/berth-hpc/berth/sdk/internal/wire"
)

// service is the name by which go-plugin is asked for the driver's connection.
const service = "driver"

// connection makes go-plugin hand out the connection itself.
type connection struct {
	goplugin.NetRPCUnsupportedPlugin
}

func (connection) GRPCServer(*goplugin.GRPCBroker, *grpc.Server) error {
	return errors.New("a host serves no driver")
}

func (connection) GRPCClient(_ context.Context, _ *goplugin.GRPCBroker, conn *grpc.ClientConn) (any, error) {
	return conn, nil
}

func pluginConfig(p *process) *goplugin.ClientConfig {
	return &goplugin.ClientConfig{
		HandshakeConfig: goplugin.HandshakeConfig{
			ProtocolVersion: wire.Version, MagicCookieKey: wire.CookieName, MagicCookieValue: wire.Cookie,
		},
		VersionedPlugins: map[int]goplugin.PluginSet{wire.Version: {service: connection{}}},
		AllowedProtocols: []goplugin.Protocol{goplugin.ProtocolGRPC},
		SkipHostEnv:      true,
		StartTimeout:     math.MaxInt64, // process has a limit of its own
		UnixSocketConfig: &goplugin.UnixSocketConfig{TempDir: p.cfg.Scratch},
		Logger:           hclog.NewNullLogger(), // the driver's log is read by process
		RunnerFunc: func(_ hclog.Logger, _ *exec.Cmd, socketDir string) (runner.Runner, error) {
			p.socketDir = socketDir
			return p, nil
		},
		GRPCDialOptions: []grpc.DialOption{
			grpc.WithContextDialer(p.dial),
			grpc.WithUnaryInterceptor(withoutExtras),
			grpc.WithStreamInterceptor(withoutExtraStreams),
			grpc.WithDisableRetry(),
			grpc.WithDisableServiceConfig(),
			grpc.WithDefaultCallOptions(grpc.MaxCallRecvMsgSize(wire.MaxMessage), grpc.MaxCallSendMsgSize(wire.MaxMessage)),
		},
	}
}

// extras are go-plugin's own services: a second way for standard streams, further connections, a
// polite end. The protocol has no use for them, so a driver need not serve them; and every one would
// be one more wait for a driver that hangs.
const extras = "/plugin."

func withoutExtras(ctx context.Context, method string, req, reply any, conn *grpc.ClientConn, call grpc.UnaryInvoker, opts ...grpc.CallOption) error {
	if strings.HasPrefix(method, extras) {
		return notServed()
	}
	return call(ctx, method, req, reply, conn, opts...)
}

func withoutExtraStreams(ctx context.Context, desc *grpc.StreamDesc, conn *grpc.ClientConn, method string, open grpc.Streamer, opts ...grpc.CallOption) (grpc.ClientStream, error) {
	if strings.HasPrefix(method, extras) {
		return nil, notServed()
	}
	return open(ctx, desc, conn, method, opts...)
}

func notServed() error { return status.Error(codes.Unimplemented, "not part of the protocol") }
