package wire

import (
	"errors"
	"strings"
	"testing"
	"unicode"

	"google.golang.org/genproto/googleapis/rpc/errdetails"
	spb "google.golang.org/genproto/googleapis/rpc/status"
	"google.golang.org/grpc/status"
	"google.golang.org/protobuf/proto"

	"github.com/berth-hpc/berth/sdk"
	pb "github.com/berth-hpc/berth/sdk/internal/wire/driverv1"
)

func FuzzState(f *testing.F) {
	f.Add([]byte(`{"ociVersion":"1.0.0","id":"c","status":"running","pid":42,"bundle":"/b","annotations":{"a":"b"}}`))
	f.Fuzz(func(t *testing.T, text []byte) {
		state, err := verifiedState(text, "c")
		if err == nil && (state.ID != "c" || state.Pid == 1 || state.Pid < 0 || state.Pid > maxPid) {
			t.Errorf("believed %+v", state)
		}
	})
}

func FuzzCommand(f *testing.F) {
	text, err := proto.Marshal(toCommand(&sdk.Command{Path: "/p", Args: []string{"a"}, Env: []string{"A=b"}, Dir: "/"}))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		var m pb.CommandResponse
		if proto.Unmarshal(text, &m) != nil {
			return
		}
		cmd, err := answeredCommand(&m, nil)
		if err == nil && (cmd.Path[0] != '/' || len(cmd.Args) == 0 || strings.ContainsRune(strings.Join(append(cmd.Args, cmd.Env...), ""), 0)) {
			t.Errorf("believed %+v", cmd)
		}
	})
}

func FuzzStatus(f *testing.F) {
	st, err := status.New(5, "text").WithDetails(&errdetails.ErrorInfo{
		Domain: errorDomain, Reason: "NOT_FOUND", Metadata: map[string]string{"advice": "a", "setting": "s"},
	})
	if err != nil {
		f.Fatal(err)
	}
	text, err := proto.Marshal(st.Proto())
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Fuzz(func(t *testing.T, text []byte) {
		var m spb.Status
		if proto.Unmarshal(text, &m) != nil {
			return
		}
		err := fromStatus(status.ErrorProto(&m))
		var transport *TransportError
		if err == nil || errors.As(err, &transport) {
			return
		}
		for _, text := range []string{err.Error(), sdk.Advice(err)} {
			if len(text) > 8*maxErrorText || strings.ContainsFunc(text, unicode.IsControl) {
				t.Errorf("not one clean line: %q", text)
			}
		}
	})
}
