package ociruntime

import (
	"encoding/json"
	"os"
	"path/filepath"
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
			text, err := json.Marshal(specs.Spec{Process: &specs.Process{User: test.user}, Root: &specs.Root{}, Linux: test.linux})
			if err != nil {
				t.Fatal(err)
			}
			bundle := t.TempDir()
			if err := os.WriteFile(filepath.Join(bundle, sdk.ConfigFile), text, 0o600); err != nil {
				t.Fatal(err)
			}
			err = mappable(&sdk.Container{Bundle: bundle})
			if test.reason == "" && err != nil {
				t.Error(err)
			}
			if test.reason != "" && (sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(err.Error(), test.reason) || !strings.Contains(sdk.Advice(err), "subordinate ids")) {
				t.Errorf("got %v, advice %q", err, sdk.Advice(err))
			}
		})
	}
	if err := mappable(&sdk.Container{Bundle: t.TempDir()}); sdk.Kind(err) != sdk.ErrInvalid {
		t.Errorf("without config.json: %v", err)
	}
}
