package wire

import (
	"reflect"
	"testing"

	"github.com/google/go-cmp/cmp"
	"google.golang.org/protobuf/proto"
	"google.golang.org/protobuf/reflect/protoreflect"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/internal/settings"
	pb "github.com/berth-hpc/berth/sdk/internal/wire/driverv1"
)

// A field that the SDK or the protocol has gained, and the conversion has not, turns this red.
func TestEveryFieldArrives(t *testing.T) {
	check := func(name string, full, message, back any) {
		t.Helper()
		if missed := unset(reflect.ValueOf(full), name); missed != nil {
			t.Errorf("not filled: %v", missed)
		}
		m := message.(proto.Message)
		text, err := proto.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again := m.ProtoReflect().New().Interface()
		if err := proto.Unmarshal(text, again); err != nil || !proto.Equal(m, again) {
			t.Errorf("%s does not survive its encoding: %v", name, err)
		}
		if diff := cmp.Diff(full, back); diff != "" {
			t.Errorf("%s, -sent +got:\n%s", name, diff)
		}
	}
	var c sdk.Container
	fill(t, &c)
	m := toContainer(&c)
	check("Container", c, m, *fromContainer(m))
	complete(t, m)

	var p sdk.Process
	fill(t, &p)
	r := &pb.ExecRequest{Container: m, SettingsJson: []byte("{}")}
	r.ProcessJson, r.Io, r.Files = toProcess(&p)
	check("Process", p, r, *fromProcess(r))
	complete(t, r)

	var cmd sdk.Command
	fill(t, &cmd)
	check("Command", cmd, toCommand(&cmd), *fromCommand(toCommand(&cmd)))
	complete(t, toCommand(&cmd))

	var progress sdk.Progress
	fill(t, &progress)
	check("Progress", progress, toProgress(progress), fromProgress(toProgress(progress)))
	complete(t, toProgress(progress))

	var runtime sdk.Runtime
	fill(t, &runtime)
	check("Runtime", runtime, toRuntime(&runtime), *fromRuntime(toRuntime(&runtime)))
	answer := toRuntime(&runtime)
	answer.Error = toFailure(&sdk.SettingError{Key: "k", Err: sdk.WithAdvice(sdk.ErrState, "advice")})
	complete(t, answer)

	var d Description
	fill(t, &d)
	list := &pb.DescribeResponse{Version: d.Version, Capabilities: d.Capabilities}
	for _, k := range d.Settings {
		list.Settings = append(list.Settings, toSetting(k))
	}
	check("Description", d, list, *fromDescription(list))
	complete(t, list)
	var key settings.Key
	fill(t, &key)
	complete(t, toSetting(key))
}

// complete says which field of a message nothing has set.
func complete(t *testing.T, m proto.Message) {
	t.Helper()
	incomplete(t, m.ProtoReflect())
}

func incomplete(t *testing.T, m protoreflect.Message) {
	t.Helper()
	fields := m.Descriptor().Fields()
	for i := range fields.Len() {
		f := fields.Get(i)
		if !m.Has(f) {
			t.Errorf("nothing sets %s", f.FullName())
		} else if f.Message() != nil && !f.IsList() && !f.IsMap() {
			incomplete(t, m.Get(f).Message())
		}
	}
}

// Absent is not the same as empty where it matters.
func TestAbsentStep(t *testing.T) {
	if fromContainer(toContainer(&sdk.Container{})).Step != nil {
		t.Error("a step appeared")
	}
	if fromStep(toStep(&sdk.Step{})) == nil {
		t.Error("an empty step got lost")
	}
}

// Arguments, environment and a job's environment are bytes to Linux.
func TestBytesAreKept(t *testing.T) {
	odd := []string{"", "a=\xff\xfe", "new\nline", "ü"}
	c := &sdk.Command{Path: "/p", Args: odd, Env: odd}
	text, err := proto.Marshal(toCommand(c))
	if err != nil {
		t.Fatal(err)
	}
	var m pb.CommandResponse
	if err := proto.Unmarshal(text, &m); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(c, fromCommand(&m)); diff != "" {
		t.Error(diff)
	}
	if diff := cmp.Diff(odd, fromStep(toStep(&sdk.Step{Env: odd})).Env); diff != "" {
		t.Error(diff)
	}
}
