package wire

import (
	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/internal/settings"
	pb "github.com/berth-hpc/berth/sdk/internal/wire/driverv1"
)

// Each pair of functions below mirrors one message. A test fills every field by reflection and
// sends it both ways, so that a field added on one side only turns it red.

func toContainer(c *sdk.Container) *pb.Container {
	return &pb.Container{
		Id: c.ID, Bundle: c.Bundle, Root: c.Root, Annotations: c.Annotations,
		Pid: int64(c.Pid), Umask: int32(c.Umask), Files: int32(c.Files), Io: toIO(c.IO), Log: toLog(c.Log), Step: toStep(c.Step),
	}
}

func fromContainer(m *pb.Container) *sdk.Container {
	return &sdk.Container{
		ID: m.GetId(), Bundle: m.GetBundle(), Root: m.GetRoot(), Annotations: m.GetAnnotations(),
		Pid: int(m.GetPid()), Umask: int(m.GetUmask()), Files: int(m.GetFiles()), IO: fromIO(m.GetIo()), Log: fromLog(m.GetLog()), Step: fromStep(m.GetStep()),
	}
}

func toIO(io sdk.IO) *pb.IO {
	return &pb.IO{
		ConsoleSocket: io.ConsoleSocket, PidFile: io.PidFile, Detach: io.Detach,
		NoPivot: io.NoPivot, NoNewKeyring: io.NoNewKeyring, CgroupManager: io.CgroupManager,
	}
}

func fromIO(m *pb.IO) sdk.IO {
	return sdk.IO{
		ConsoleSocket: m.GetConsoleSocket(), PidFile: m.GetPidFile(), Detach: m.GetDetach(),
		NoPivot: m.GetNoPivot(), NoNewKeyring: m.GetNoNewKeyring(), CgroupManager: m.GetCgroupManager(),
	}
}

func toLog(l sdk.Log) *pb.Log {
	return &pb.Log{Path: l.Path, Format: l.Format, Debug: l.Debug}
}

func fromLog(m *pb.Log) sdk.Log {
	return sdk.Log{Path: m.GetPath(), Format: m.GetFormat(), Debug: m.GetDebug()}
}

func toStep(s *sdk.Step) *pb.Step {
	if s == nil {
		return nil
	}
	return &pb.Step{
		Job: s.Job, Step: s.Step, Task: int32(s.Task), Tasks: int32(s.Tasks),
		Node: s.Node, Dir: s.Dir, Env: toBytes(s.Env),
	}
}

func fromStep(m *pb.Step) *sdk.Step {
	if m == nil {
		return nil
	}
	return &sdk.Step{
		Job: m.GetJob(), Step: m.GetStep(), Task: int(m.GetTask()), Tasks: int(m.GetTasks()),
		Node: m.GetNode(), Dir: m.GetDir(), Env: fromBytes(m.GetEnv()),
	}
}

func toProcess(p *sdk.Process) (json []byte, io *pb.IO, files int32) {
	return p.Spec, toIO(p.IO), int32(p.Files)
}

func fromProcess(m *pb.ExecRequest) *sdk.Process {
	return &sdk.Process{Spec: m.GetProcessJson(), IO: fromIO(m.GetIo()), Files: int(m.GetFiles())}
}

func toCommand(c *sdk.Command) *pb.CommandResponse {
	return &pb.CommandResponse{Path: c.Path, Args: toBytes(c.Args), Env: toBytes(c.Env), Dir: c.Dir}
}

func fromCommand(m *pb.CommandResponse) *sdk.Command {
	return &sdk.Command{Path: m.GetPath(), Args: fromBytes(m.GetArgs()), Env: fromBytes(m.GetEnv()), Dir: m.GetDir()}
}

func toProgress(p sdk.Progress) *pb.Progress {
	return &pb.Progress{Text: p.Text, Done: p.Done, Total: p.Total}
}

func fromProgress(m *pb.Progress) sdk.Progress {
	return sdk.Progress{Text: printable(m.GetText()), Done: m.GetDone(), Total: m.GetTotal()}
}

func toRuntime(r *sdk.Runtime) *pb.CheckResponse {
	if r == nil {
		return &pb.CheckResponse{}
	}
	return &pb.CheckResponse{Name: r.Name, Path: r.Path, Version: r.Version}
}

func fromRuntime(m *pb.CheckResponse) *sdk.Runtime {
	return &sdk.Runtime{Name: printable(m.GetName()), Path: printable(m.GetPath()), Version: printable(m.GetVersion())}
}

func toSetting(k settings.Key) *pb.Setting {
	return &pb.Setting{Key: k.Name, Type: k.Type, Doc: k.Doc, DefaultJson: k.Default}
}

func fromDescription(m *pb.DescribeResponse) *Description {
	d := &Description{Version: printable(m.GetVersion())}
	for _, name := range m.GetCapabilities() {
		d.Capabilities = append(d.Capabilities, printable(name))
	}
	for _, s := range m.GetSettings() {
		d.Settings = append(d.Settings, settings.Key{
			Name: printable(s.GetKey()), Type: printable(s.GetType()), Doc: printable(s.GetDoc()), Default: printable(s.GetDefaultJson()),
		})
	}
	return d
}

func toBytes(list []string) [][]byte {
	var out [][]byte
	for _, s := range list {
		out = append(out, []byte(s))
	}
	return out
}

func fromBytes(list [][]byte) []string {
	var out []string
	for _, b := range list {
		out = append(out, string(b))
	}
	return out
}
