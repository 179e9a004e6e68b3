package ociruntime

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

func TestMissingRuntime(t *testing.T) {
	plain := filepath.Join(t.TempDir(), "crun")
	if err := os.WriteFile(plain, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	for _, place := range []string{"/nowhere/crun", plain, t.TempDir()} {
		d := New(Crun())
		d.Settings().(*Settings).Runtime = place
		found, err := d.Check(t.Context())
		if sdk.Kind(err) != sdk.ErrUnavailable || !strings.Contains(err.Error(), place) {
			t.Errorf("%s: %v", place, err)
		}
		if !strings.Contains(sdk.Advice(err), "apt-get install crun") || found.Name != "crun" || found.Path != "" {
			t.Errorf("%s: advice %q, found %+v", place, sdk.Advice(err), found)
		}
		if _, err := d.Run(t.Context(), &sdk.Container{ID: "c", Root: "/r"}); sdk.Kind(err) != sdk.ErrUnavailable {
			t.Errorf("run with %s: %v", place, err)
		}
	}
}
