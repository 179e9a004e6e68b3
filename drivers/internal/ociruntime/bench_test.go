package ociruntime

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
)

// BenchmarkPlan is what a run costs before the runtime starts: start the driver, ask it, end it.
func BenchmarkPlan(b *testing.B) {
	for _, r := range []Runtime{Runc(), Crun()} {
		b.Run(r.name, func(b *testing.B) {
			d := New(r)
			if err := d.usable(); err != nil {
				b.Skipf("%v (%s)", err, sdk.Advice(err))
			}
			scratch, err := os.MkdirTemp("/tmp", "oci-")
			if err != nil {
				b.Fatal(err)
			}
			defer os.RemoveAll(scratch)
			c := &sdk.Container{ID: "c1", Bundle: b.TempDir(), Root: b.TempDir()}
			text, err := json.Marshal(lab{rootfs: "/rootfs"}.spec([]string{"true"}))
			if err != nil {
				b.Fatal(err)
			}
			if err := os.WriteFile(filepath.Join(c.Bundle, sdk.ConfigFile), text, 0o600); err != nil {
				b.Fatal(err)
			}
			cfg := client.Config{Name: r.name, Path: program(b, r.name), Env: environment(), Scratch: scratch}
			b.Run("driver", func(b *testing.B) {
				for b.Loop() {
					running, err := client.Start(b.Context(), cfg)
					if err != nil {
						b.Fatal(err)
					}
					if _, err := running.Run(b.Context(), c); err != nil {
						b.Fatal(err)
					}
					running.Close()
				}
			})
			b.Run("planning alone", func(b *testing.B) {
				for b.Loop() {
					if _, err := d.Run(b.Context(), c); err != nil {
						b.Fatal(err)
					}
				}
			})
		})
	}
}
