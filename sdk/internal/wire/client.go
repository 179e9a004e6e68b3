package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"
	"google.golang.org/grpc"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/internal/settings"
	pb "github.com/berth-hpc/berth/sdk/internal/wire/driverv1"
)

// Client asks a driver over its connection. It has every method of every interface of the SDK;
// what the driver lacks comes back as sdk.ErrUnsupported. Its answers have been verified.
type Client struct {
	rpc      pb.DriverClient
	settings []byte // the driver's table as a JSON object; nil: none
}

// NewClient returns a client that asks over conn and sends the given settings, a JSON object, with
// every request.
func NewClient(conn grpc.ClientConnInterface, settings []byte) *Client {
	return &Client{rpc: pb.NewDriverClient(limited{conn}), settings: settings}
}

// Description is what a driver says of itself.
type Description struct {
	Version      string // of the driver
	Capabilities []string
	Settings     []settings.Key
}

// Describe asks what the driver is and can do with its settings, which need not be right.
func (c *Client) Describe(ctx context.Context) (*Description, error) {
	m, err := c.rpc.Describe(ctx, &pb.DescribeRequest{SettingsJson: c.settings})
	if err != nil {
		return nil, fromStatus(err)
	}
	return fromDescription(m), nil
}

// Check implements sdk.Checker.
func (c *Client) Check(ctx context.Context) (*sdk.Runtime, error) {
	m, err := c.rpc.Check(ctx, &pb.CheckRequest{SettingsJson: c.settings})
	if err != nil {
		return nil, fromStatus(err)
	}
	return fromRuntime(m), fromFailure(m.GetError())
}

// Run implements sdk.Driver.
func (c *Client) Run(ctx context.Context, ct *sdk.Container) (*sdk.Command, error) {
	return answeredCommand(c.rpc.Run(ctx, c.container(ct)))
}

// Create implements sdk.Creator.
func (c *Client) Create(ctx context.Context, ct *sdk.Container) (*sdk.Command, error) {
	return answeredCommand(c.rpc.Create(ctx, c.container(ct)))
}

// Start implements sdk.Creator.
func (c *Client) Start(ctx context.Context, ct *sdk.Container) error {
	_, err := c.rpc.Start(ctx, c.container(ct))
	return fromStatus(err)
}

// State implements sdk.Lifecycle.
func (c *Client) State(ctx context.Context, ct *sdk.Container) (*specs.State, error) {
	m, err := c.rpc.State(ctx, c.container(ct))
	if err != nil {
		return nil, fromStatus(err)
	}
	return verifiedState(m.GetStateJson(), ct.ID)
}

// Kill implements sdk.Lifecycle.
func (c *Client) Kill(ctx context.Context, ct *sdk.Container, sig syscall.Signal, all bool) error {
	_, err := c.rpc.Kill(ctx, &pb.KillRequest{SettingsJson: c.settings, Container: toContainer(ct), Signal: int32(sig), All: all})
	return fromStatus(err)
}

// Delete implements sdk.Lifecycle.
func (c *Client) Delete(ctx context.Context, ct *sdk.Container, force bool) error {
	_, err := c.rpc.Delete(ctx, &pb.DeleteRequest{SettingsJson: c.settings, Container: toContainer(ct), Force: force})
	return fromStatus(err)
}

// Exec implements sdk.Execer.
func (c *Client) Exec(ctx context.Context, ct *sdk.Container, p *sdk.Process) (*sdk.Command, error) {
	r := &pb.ExecRequest{SettingsJson: c.settings, Container: toContainer(ct)}
	r.ProcessJson, r.Io, r.Files = toProcess(p)
	return answeredCommand(c.rpc.Exec(ctx, r))
}

// Pause implements sdk.Pauser.
func (c *Client) Pause(ctx context.Context, ct *sdk.Container) error {
	_, err := c.rpc.Pause(ctx, c.container(ct))
	return fromStatus(err)
}

// Resume implements sdk.Pauser.
func (c *Client) Resume(ctx context.Context, ct *sdk.Container) error {
	_, err := c.rpc.Resume(ctx, c.container(ct))
	return fromStatus(err)
}

// Update implements sdk.Updater.
func (c *Client) Update(ctx context.Context, ct *sdk.Container, resources json.RawMessage) error {
	_, err := c.rpc.Update(ctx, &pb.UpdateRequest{SettingsJson: c.settings, Container: toContainer(ct), ResourcesJson: resources})
	return fromStatus(err)
}

// Prepare implements sdk.Preparer. progress is called from this goroutine.
func (c *Client) Prepare(ctx context.Context, ct *sdk.Container, progress func(sdk.Progress)) error {
	stream, err := c.rpc.Prepare(ctx, c.container(ct))
	if err != nil {
		return fromStatus(err)
	}
	for {
		m, err := stream.Recv()
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return fromStatus(err)
		}
		progress(fromProgress(m))
	}
}

// Release implements sdk.Preparer.
func (c *Client) Release(ctx context.Context, s *sdk.Step) error {
	_, err := c.rpc.Release(ctx, &pb.ReleaseRequest{SettingsJson: c.settings, Step: toStep(s)})
	return fromStatus(err)
}

func (c *Client) container(ct *sdk.Container) *pb.ContainerRequest {
	return &pb.ContainerRequest{SettingsJson: c.settings, Container: toContainer(ct)}
}

func answeredCommand(m *pb.CommandResponse, err error) (*sdk.Command, error) {
	if err != nil {
		return nil, fromStatus(err)
	}
	cmd := fromCommand(m)
	if err := verifyCommand(cmd); err != nil {
		return nil, fmt.Errorf("the driver's answer is no command: %w", err)
	}
	return cmd, nil
}
