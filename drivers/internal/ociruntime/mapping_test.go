package ociruntime

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

func TestMappable(t *testing.T) {
	one := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 2000, Size: 1}}
	last := []specs.LinuxIDMapping{{ContainerID: 4294967290, HostID: 100000, Size: 5}}
	for _, test := range []struct {
		name   string
		user   specs.User
		linux  *specs.Linux
		reason string
	}{
		{"no namespace", specs.User{UID: 5}, &specs.Linux{}, ""},
		{"the one id", specs.User{}, &specs.Linux{UIDMappings: one, GIDMappings: one}, ""},
		{"other user", specs.User{UID: 5}, &specs.Linux{UIDMappings: one, GIDMappings: one}, "wants user id 5"},
		{"other group", specs.User{GID: 6}, &specs.Linux{UIDMappings: one, GIDMappings: one}, "wants group id 6"},
		{"further group", specs.User{AdditionalGids: []uint32{0, 7}}, &specs.Linux{UIDMappings: one, GIDMappings: one}, "wants group id 7"},
		{"no groups mapped", specs.User{}, &specs.Linux{UIDMappings: one}, "wants group id 0"},
		{"beyond the last id", specs.User{UID: 4294967295}, &specs.Linux{UIDMappings: last, GIDMappings: one}, "wants user id 4294967295"},
	} {
		t.Run(test.name, func(t *testing.T) {
			var b view
			text, err := json.Marshal(specs.Spec{Process: &specs.Process{User: test.user}, Root: &specs.Root{}, Linux: test.linux})
			if err == nil {
				err = json.Unmarshal(text, &b)
			}
			if err != nil {
				t.Fatal(err)
			}
			err = New(Crun()).mappable(&b)
			if test.reason == "" && err != nil {
				t.Error(err)
			}
			if test.reason != "" && (sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(err.Error(), test.reason) || !strings.Contains(sdk.Advice(err), "subordinate ids")) {
				t.Errorf("got %v, advice %q", err, sdk.Advice(err))
			}
		})
	}
}

// Runc gives files to container id 0, which only works where that is the caller or the caller is root.
func TestOwnsRootsFiles(t *testing.T) {
	own := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 2000, Size: 1}, {ContainerID: 1, HostID: 100000, Size: 1000}}
	other := []specs.LinuxIDMapping{{ContainerID: 0, HostID: 100000, Size: 1000}, {ContainerID: 1000, HostID: 2000, Size: 1}}
	only := other[1:]
	for _, test := range []struct {
		name       string
		uids, gids []specs.LinuxIDMapping
		uid        int
		refused    bool
	}{
		{"the caller", own, own, 2000, false},
		{"a subordinate user id", other, own, 2000, true},
		{"a subordinate group id", own, other, 2000, true},
		{"nobody", only, only, 2000, true},
		{"root may", other, other, 0, false},
		{"no namespace", nil, nil, 2000, false},
	} {
		t.Run(test.name, func(t *testing.T) {
			err := ownsRootsFiles(mappings{UIDMappings: test.uids, GIDMappings: test.gids}, test.uid, 2000)
			if refused := sdk.Kind(err) == sdk.ErrUnsupported && sdk.Advice(err) != ""; refused != test.refused || !refused && err != nil {
				t.Errorf("got %v, advice %q", err, sdk.Advice(err))
			}
		})
	}
}
