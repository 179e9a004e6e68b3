package wire

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"path/filepath"
	"runtime/debug"
	"sync"
	"syscall"

	"google.golang.org/grpc"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/internal/settings"
	pb "github.com/berth-hpc/berth/sdk/internal/wire/driverv1"
)

// server answers the host's calls with a driver.
type server struct {
	pb.UnimplementedDriverServer
	mu     sync.Mutex // a driver's methods are never called two at a time
	driver sdk.Driver
}

// Serve answers calls to the service berth.driver.v1 with d on every connection that l accepts. It
// returns only when l is closed or broken.
func Serve(l net.Listener, d sdk.Driver) error {
	s := grpc.NewServer(grpc.MaxRecvMsgSize(MaxMessage), grpc.MaxSendMsgSize(MaxMessage),
		grpc.UnaryInterceptor(limitCall), grpc.StreamInterceptor(limitStream))
	pb.RegisterDriverServer(s, &server{driver: d})
	return s.Serve(l)
}

// as returns the driver that answers as the optional interface T, or the error that the host gets.
func as[T any](s *server, settingsJSON []byte, what string) (T, error) {
	d, chosen, err := s.configured(settingsJSON)
	t, ok := d.(T)
	if !ok && (chosen || err == nil) {
		err = sdk.Mark(fmt.Errorf("this driver cannot %s", what), sdk.ErrUnsupported)
	}
	return t, err
}

// configured fills the driver's settings and returns the driver that answers. chosen says that this is
// settled, also where the settings are wrong.
func (s *server) configured(settingsJSON []byte) (d sdk.Driver, chosen bool, err error) {
	var into any
	if c, ok := s.driver.(sdk.Configurer); ok {
		into = c.Settings()
	}
	err = settings.Fill(into, settingsJSON)
	c, ok := s.driver.(sdk.Chooser)
	if !ok || err != nil {
		return s.driver, !ok, err
	}
	return c.Choose(), true, nil
}

// request is a message about one container.
type request interface {
	GetSettingsJson() []byte
	GetContainer() *pb.Container
}

// call runs one call about a container, all of which begin and end alike: take turns, configure,
// check the request, ask the driver, give the error its form on the wire.
func call[T any, R any](s *server, r request, what string, ask func(T, *sdk.Container) (R, error)) (R, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	var none R
	t, err := as[T](s, r.GetSettingsJson(), what)
	if err != nil {
		return none, toStatus(err)
	}
	c := fromContainer(r.GetContainer())
	if err := validContainer(c); err != nil {
		return none, toStatus(err)
	}
	answer, err := ask(t, c)
	if err != nil {
		return none, toStatus(err)
	}
	return answer, nil
}

func validContainer(c *sdk.Container) error {
	if err := sdk.ValidateID(c.ID); err != nil {
		return err
	}
	for name, path := range map[string]string{"bundle": c.Bundle, "root": c.Root} {
		if path != "" && !filepath.IsAbs(path) {
			return sdk.Mark(fmt.Errorf("%s %q is not an absolute path", name, path), sdk.ErrInvalid)
		}
	}
	return nil
}

func command(c *sdk.Command, err error) (*pb.CommandResponse, error) {
	if err != nil {
		return nil, err
	}
	if c == nil {
		return nil, errors.New("the driver returned no command and no error")
	}
	return toCommand(c), nil
}

func (s *server) Describe(_ context.Context, request *pb.DescribeRequest) (*pb.DescribeResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, _, err := s.configured(request.GetSettingsJson())
	if err != nil { // every other call says so
		d, _, _ = s.configured(nil)
	}
	r := &pb.DescribeResponse{Capabilities: Capabilities(d)}
	if info, ok := debug.ReadBuildInfo(); ok {
		r.Version = info.Main.Version
	}
	c, ok := s.driver.(sdk.Configurer)
	if !ok {
		return r, nil
	}
	keys, err := settings.Keys(c.Settings())
	if err != nil {
		return nil, toStatus(err)
	}
	for _, k := range keys {
		r.Settings = append(r.Settings, toSetting(k))
	}
	return r, nil
}

func (s *server) Check(ctx context.Context, r *pb.CheckRequest) (*pb.CheckResponse, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	checker, err := as[sdk.Checker](s, r.GetSettingsJson(), "check a node")
	if err != nil {
		return nil, toStatus(err)
	}
	found, err := checker.Check(ctx)
	answer := toRuntime(found)
	answer.Error = toFailure(err)
	return answer, nil
}

func (s *server) Run(ctx context.Context, r *pb.ContainerRequest) (*pb.CommandResponse, error) {
	return call(s, r, "run", func(d sdk.Driver, c *sdk.Container) (*pb.CommandResponse, error) {
		if err := prepared(d, c); err != nil {
			return nil, err
		}
		return command(d.Run(ctx, c))
	})
}

func (s *server) Create(ctx context.Context, r *pb.ContainerRequest) (*pb.CommandResponse, error) {
	return call(s, r, "create and start in two steps", func(d sdk.Creator, c *sdk.Container) (*pb.CommandResponse, error) {
		if err := prepared(d, c); err != nil {
			return nil, err
		}
		return command(d.Create(ctx, c))
	})
}

func (s *server) Start(ctx context.Context, r *pb.ContainerRequest) (*pb.Done, error) {
	return call(s, r, "create and start in two steps", func(d sdk.Creator, c *sdk.Container) (*pb.Done, error) {
		return &pb.Done{}, d.Start(ctx, c)
	})
}

func (s *server) State(ctx context.Context, r *pb.ContainerRequest) (*pb.StateResponse, error) {
	return call(s, r, "tell a container's state", func(d sdk.Lifecycle, c *sdk.Container) (*pb.StateResponse, error) {
		state, err := d.State(ctx, c)
		if err != nil {
			return nil, err
		}
		text, err := json.Marshal(state)
		return &pb.StateResponse{StateJson: text}, err
	})
}

func (s *server) Kill(ctx context.Context, r *pb.KillRequest) (*pb.Done, error) {
	return call(s, r, "signal a container", func(d sdk.Lifecycle, c *sdk.Container) (*pb.Done, error) {
		return &pb.Done{}, d.Kill(ctx, c, syscall.Signal(r.GetSignal()), r.GetAll())
	})
}

func (s *server) Delete(ctx context.Context, r *pb.DeleteRequest) (*pb.Done, error) {
	return call(s, r, "delete a container", func(d sdk.Lifecycle, c *sdk.Container) (*pb.Done, error) {
		return &pb.Done{}, d.Delete(ctx, c, r.GetForce())
	})
}

func (s *server) Exec(ctx context.Context, r *pb.ExecRequest) (*pb.CommandResponse, error) {
	return call(s, r, "run a further program in a container", func(d sdk.Execer, c *sdk.Container) (*pb.CommandResponse, error) {
		return command(d.Exec(ctx, c, fromProcess(r)))
	})
}

func (s *server) Pause(ctx context.Context, r *pb.ContainerRequest) (*pb.Done, error) {
	return call(s, r, "pause a container", func(d sdk.Pauser, c *sdk.Container) (*pb.Done, error) {
		return &pb.Done{}, d.Pause(ctx, c)
	})
}

func (s *server) Resume(ctx context.Context, r *pb.ContainerRequest) (*pb.Done, error) {
	return call(s, r, "pause a container", func(d sdk.Pauser, c *sdk.Container) (*pb.Done, error) {
		return &pb.Done{}, d.Resume(ctx, c)
	})
}

func (s *server) Update(ctx context.Context, r *pb.UpdateRequest) (*pb.Done, error) {
	return call(s, r, "change a container's limits", func(d sdk.Updater, c *sdk.Container) (*pb.Done, error) {
		return &pb.Done{}, d.Update(ctx, c, r.GetResourcesJson())
	})
}

// prepared says whether the driver can run a container of this step. The host does not know beforehand
// which drivers prepare, and asks the others no question more for it.
func prepared(d any, c *sdk.Container) error {
	if _, ok := d.(sdk.Preparer); ok && (c.Step == nil || c.Step.Dir == "") {
		return fmt.Errorf("the step is %w", sdk.ErrUnprepared)
	}
	return nil
}

func (s *server) Prepare(r *pb.ContainerRequest, stream pb.Driver_PrepareServer) error {
	_, err := call(s, r, "prepare a step", func(d sdk.Preparer, c *sdk.Container) (*pb.Done, error) {
		if c.Step == nil || c.Step.Dir == "" {
			return nil, sdk.Mark(errors.New("preparing needs a step and its directory"), sdk.ErrInvalid)
		}
		report := &reporter{stream: stream}
		defer report.end()
		return nil, d.Prepare(stream.Context(), c, report.send)
	})
	return err
}

func (s *server) Release(ctx context.Context, r *pb.ReleaseRequest) (*pb.Done, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	d, err := as[sdk.Preparer](s, r.GetSettingsJson(), "prepare a step")
	if err != nil {
		return nil, toStatus(err)
	}
	step := fromStep(r.GetStep())
	if step == nil {
		return nil, toStatus(sdk.Mark(errors.New("releasing needs a step"), sdk.ErrInvalid))
	}
	return &pb.Done{}, toStatus(d.Release(ctx, step))
}

// reporter sends progress. A stream takes one message at a time and none after its call, while a
// driver may report from several goroutines, and late.
type reporter struct {
	mu     sync.Mutex
	stream pb.Driver_PrepareServer
	ended  bool
}

func (r *reporter) send(p sdk.Progress) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if !r.ended {
		_ = r.stream.Send(toProgress(p)) // a host that is gone ends the call through its context
	}
}

func (r *reporter) end() {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.ended = true
}
