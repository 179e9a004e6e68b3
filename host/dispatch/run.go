package dispatch

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"unicode/utf8"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/bundle"
	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/limit"
)

// What makes a container, in its record.
const (
	opRun    = "run"
	opCreate = "create"       // by a runtime that knows it from then on
	opAnchor = state.ByAnchor // by an anchor
)

// statusFile is the file in a container's directory into which berth-init writes the status.
const statusFile = "status"

// Run plans a container that is created, started and awaited: in one command, or where the driver has
// none, under supervision.
func (h *Host) Run(r Request) (*Plan, error) {
	return h.plan(r, opRun, func(ctx context.Context, p *Plan, d *Driver, c *sdk.Container) (*sdk.Command, error) {
		cmd, err := d.Run(ctx, c)
		if errors.Is(err, sdk.ErrUnsupported) {
			return p.supervised(ctx, d, c, err)
		}
		return cmd, err
	})
}

// Create plans the creation of a container that Start starts.
func (h *Host) Create(r Request) (*Plan, error) {
	r.DeletePromised = true
	return h.plan(r, opCreate, func(ctx context.Context, _ *Plan, d *Driver, c *sdk.Container) (*sdk.Command, error) {
		return d.Create(ctx, c)
	})
}

type ask func(context.Context, *Plan, *Driver, *sdk.Container) (*sdk.Command, error)

// plan is the way of every new container: driver and bundle at the same time, then the container's
// directory, then the driver's answer.
func (h *Host) plan(r Request, operation string, ask ask) (*Plan, error) {
	if err := validate(&r); err != nil {
		return nil, err
	}
	ctx, cancel := limit.WithTimeout(h.Guard.Context(), h.Config.Deadlines.Run, "no plan")
	defer cancel()
	choice, err := h.choose(&r, "")
	if err != nil {
		return nil, err
	}
	s := h.start(ctx, choice)
	b, err := h.judgedBundle(&r)
	if err == nil {
		s, err = h.reconsider(ctx, s, &r, b)
	}
	defer func() { s.drop() }()
	if err == nil && r.AsIs { // before there is anything of the container: an anchor is to make it
		err = onlyCreators(ctx, s)
	}
	if err != nil {
		return nil, err
	}
	p := &Plan{host: h, Because: s.choice.Because, made: true}
	if err := p.prepare(r, b, operation, s); err != nil {
		return nil, err
	}
	d, err := s.wait()
	if err == nil {
		p.Command, err = p.ask(ctx, d, r, b, ask)
	}
	if err == nil && r.AsIs {
		p.Command.Env = append(p.Command.Env, h.notifySocket()...)
	}
	s.drop() // before the plan runs: not even a zombie of the driver may be left to it
	if err == nil && h.Guard.Interrupted() != 0 {
		err = context.Cause(h.Guard.Context())
	}
	if err != nil {
		p.Discard()
		return nil, err
	}
	return p, nil
}

func validate(r *Request) error {
	if err := sdk.ValidateID(r.ID); err != nil {
		return err
	}
	abs, err := filepath.Abs(r.Bundle)
	if err != nil {
		return fmt.Errorf("finding the bundle: %w", err)
	}
	for _, path := range []string{abs, r.IO.ConsoleSocket, r.IO.PidFile, r.Log.Path} {
		if !utf8.ValidString(path) {
			return sdk.Mark(fmt.Errorf("the path %q is not UTF-8", path), sdk.ErrInvalid)
		}
	}
	r.Bundle = abs
	return nil
}

func (h *Host) judgedBundle(r *Request) (*bundle.Bundle, error) {
	b, err := r.Loaded, error(nil)
	if b == nil {
		b, err = bundle.Load(r.Bundle)
	}
	if err != nil || r.Trusted {
		return b, err
	}
	return b, b.Judge(h.policy(), r.Mounts...)
}

// reconsider starts another driver where the bundle asks for one that was not foreseen.
func (h *Host) reconsider(ctx context.Context, s *starting, r *Request, b *bundle.Bundle) (*starting, error) {
	wish := b.Annotations()[DriverAnnotation]
	if wish == "" {
		return s, nil
	}
	choice, err := h.choose(r, wish)
	if err != nil || choice.Driver == s.choice.Driver {
		return s, err
	}
	s.drop()
	return h.start(ctx, choice), nil
}

// prepare makes the container's directory with record and effective bundle. After an error nothing
// is left of it.
func (p *Plan) prepare(r Request, b *bundle.Bundle, operation string, s *starting) error {
	root, err := p.host.Root()
	if err != nil {
		return err
	}
	// A few leftovers of killed predecessors, so that they do not pile up where no one else looks.
	if _, err := root.Sweep(state.Budget{Directories: sweepDirectories, Entries: sweepEntries}); err != nil {
		p.host.Log.Debug("sweeping", "error", err)
	}
	p.record, err = state.NewRecord(os.Getpid())
	if err != nil {
		return err
	}
	p.record.ID, p.record.Operation, p.record.Bundle, p.record.UID = r.ID, operation, r.container(), os.Geteuid()
	if p.record.Kept = r.DeletePromised; r.Keeper != 0 {
		p.record.KeptBy(r.Keeper)
	}
	if s := r.within(); s != nil {
		p.record.ContainerID = r.ContainerID
		p.record.Job, p.record.Step, p.record.Task, p.record.Node = s.Job, s.Step, s.Task, s.Node
	}
	p.dir, err = root.Create(p.record)
	if errors.Is(err, sdk.ErrExists) && p.host.isGone(r.ID) {
		p.dir, err = root.Create(p.record)
	}
	if err != nil {
		return err
	}
	p.Container = p.dir.Path()
	if err := p.writeBundle(r, b, s); err != nil {
		p.Discard()
		return err
	}
	return nil
}

// What one call spends on leftovers: some milliseconds, as it is counted in work and not in time. It looks at
// so many directories, and removes what is in them up to so many names; the next call goes on with the rest.
const (
	sweepDirectories = 16
	sweepEntries     = 256
)

// writeBundle writes the effective config.json. The driver goes on starting meanwhile, unless its
// name is still to be found.
func (p *Plan) writeBundle(r Request, b *bundle.Bundle, s *starting) error {
	o, err := p.options(r)
	if err != nil {
		return err
	}
	if o.StatusFile != "" {
		if err := p.makeStatusFile(o.StatusFile); err != nil {
			return err
		}
	}
	p.Driver, err = s.name()
	if err != nil {
		return err
	}
	p.record.Driver = p.Driver
	if r.AsIs {
		return p.keepBundle(r, b)
	}
	if o.Devices, err = p.host.devices(r, s.choice.Devices, b); err != nil {
		return err
	}
	o.SetAnnotations = map[string]string{DriverAnnotation: p.Driver}
	if err := b.Adapt(o); err != nil {
		return err
	}
	if why := b.InitLeftOut(); why != "" {
		p.host.Log.Info("berth-init is left out", "reason", why)
	}
	p.Changes = b.Changes()
	config := b.JSON()
	p.rows, p.columns = b.ConsoleSize()
	p.needsTerminal = r.IO.ConsoleSocket == "" && b.Terminal()
	return p.dir.WriteFile(sdk.ConfigFile, config)
}

// makeStatusFile makes the file that berth-init writes. The container's process may be of any uid;
// nobody else comes into the container's directory.
func (p *Plan) makeStatusFile(path string) error {
	if err := p.dir.WriteFile(statusFile, nil); err != nil {
		return err
	}
	if err := os.Chmod(path, 0o666); err != nil {
		return sdk.Mark(fmt.Errorf("making the status file: %w", err), sdk.ErrUnavailable)
	}
	return nil
}

func (p *Plan) options(r Request) (bundle.Options, error) {
	caller, err := bundle.CurrentCaller()
	if err != nil {
		return bundle.Options{}, err
	}
	files := sdk.OpenFiles()
	o := bundle.Options{
		Caller: caller, Rootless: os.Geteuid() != 0, Slurm: r.within() != nil,
		Args: r.Args, Env: r.Env, Workdir: r.Workdir, Mounts: r.Mounts, Shared: r.Shared, Terminal: r.Terminal,
		Umask: &p.host.umask, OpenFiles: &files, WorkdirMayBeMissing: r.WorkdirMayBeMissing, ByName: r.ByName,
		InitPath: p.host.Layout.Init, Init: r.Init || p.host.Config.Init, Signals: r.Signals,
		EndWithRuntime: r.EndWithRuntime, PID: r.PID,
	}
	if size, err := unix.IoctlGetWinsize(0, unix.TIOCGWINSZ); err == nil {
		o.Rows, o.Columns = int(size.Row), int(size.Col)
	}
	if o.Init {
		o.StatusFile = filepath.Join(p.dir.Path(), statusFile)
	}
	if !r.DeletePromised {
		o.Poststop = []string{p.host.Layout.Init, "--rm", p.dir.Path()}
	}
	return o, nil
}

func (p *Plan) ask(ctx context.Context, d *Driver, r Request, b *bundle.Bundle, ask ask) (*sdk.Command, error) {
	root, err := p.dir.RuntimeRoot()
	if err != nil {
		return nil, err
	}
	c := &sdk.Container{
		ID: r.ID, Bundle: cmp.Or(p.bundle, p.dir.Path()), Root: root, Annotations: b.Annotations(), Files: r.Files,
		IO: r.IO, Log: r.Log, Step: r.forDriver(), Umask: p.host.umask,
	}
	cmd, err := ask(ctx, p, d, c)
	if errors.Is(err, sdk.ErrUnprepared) {
		if err := p.prepared(c, &r, d); err != nil {
			return nil, err
		}
		ctx, cancel := limit.WithTimeout(p.host.Guard.Context(), p.host.Config.Deadlines.Run, "no plan")
		defer cancel()
		cmd, err = ask(ctx, p, d, c)
	}
	if err != nil {
		err = p.orOthers(ctx, d, r, b.RootPath(), p.host.explain(d.Name, err))
	}
	return cmd, err
}
