package request

import (
	"os"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

func TestRefuse(t *testing.T) {
	r := Runtime{Driver: "acme", Name: "acme-run", Makes: "acme-run makes"}
	pid := specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.PIDNamespace}}}
	join := specs.Linux{Namespaces: []specs.LinuxNamespace{{Type: specs.PIDNamespace, Path: "/proc/1/ns/pid"}}}
	for name, c := range map[string]struct {
		requests []Request
		share    bool
		want     string
	}{
		"nothing":           {r.OfProcess(&specs.Process{}, &sdk.Container{}), false, ""},
		"made":              {r.OfNamespaces(&pid, specs.PIDNamespace), false, ""},
		"isolation":         {r.OfNamespaces(&pid), false, "linux.namespaces[0]: acme-run makes no pid namespace"},
		"isolation, shared": {r.OfNamespaces(&pid), true, ""},
		"joined, shared":    {r.OfNamespaces(&join), true, "linux.namespaces[0]: acme-run does not join"},
		"no isolation":      {r.OfProcess(&specs.Process{ApparmorProfile: "x"}, &sdk.Container{}), true, "process.apparmorProfile: acme-run applies none"},
	} {
		err := r.Refuse(c.requests, c.share)
		if (err == nil) != (c.want == "") || err != nil && (!strings.Contains(err.Error(), c.want) || sdk.Kind(err) != sdk.ErrUnsupported) {
			t.Errorf("%s: %v, want %q", name, err, c.want)
		}
		if name == "isolation" && !strings.Contains(sdk.Advice(err), "[drivers.acme]") {
			t.Errorf("%s: advice %q", name, sdk.Advice(err))
		}
	}
}

func TestCaller(t *testing.T) {
	own := uint32(os.Geteuid())
	maps := []specs.LinuxIDMapping{{ContainerID: 5, HostID: own, Size: 2}}
	groups := []specs.LinuxIDMapping{{HostID: uint32(os.Getegid()), Size: 1}}
	for uid, ok := range map[uint32]bool{5: true, 6: false, 7: false} {
		err := Runtime{Name: "acme-run"}.Caller(specs.User{UID: uid}, &specs.Linux{UIDMappings: maps, GIDMappings: groups})
		if (err == nil) != ok || err != nil && !strings.HasPrefix(err.Error(), "process.user.uid: ") {
			t.Errorf("uid %d: %v", uid, err)
		}
	}
}
