package ociruntime

import (
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
	"github.com/berth-hpc/berth/sdk/client"
)

// Each call is made as the host makes it: through a driver process of its own.
func TestLiveThroughTheDriver(t *testing.T) {
	live(t, func(t *testing.T, l lab) {
		ask := func(call func(d *client.Driver)) {
			t.Helper()
			scratch, err := os.MkdirTemp("/tmp", "oci-")
			if err != nil {
				t.Fatal(err)
			}
			defer os.RemoveAll(scratch)
			d, err := client.Start(t.Context(), client.Config{
				Name: l.runtime.name, Path: program(t, l.runtime.name), Env: environment(), Scratch: scratch,
			})
			if err != nil {
				t.Fatal(err)
			}
			defer d.Close()
			call(d)
		}
		must := func(err error) {
			t.Helper()
			if err != nil {
				t.Error(err)
			}
		}
		ask(func(d *client.Driver) {
			found, err := d.Check(t.Context())
			must(err)
			out, _ := exec.Command(found.Path, "--version").Output()
			if !strings.HasPrefix(string(out), found.Name+" version "+found.Version+"\n") || found.Version == "" {
				t.Errorf("found %+v, want %s", found, out)
			}
		})
		c := l.container(t, nil, "wait")
		ask(func(d *client.Driver) {
			plan, err := d.Create(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			if status, out := finish(t, execute(plan)); status != 0 {
				t.Fatalf("status %d: %s", status, out)
			}
		})
		status := func() (status specs.ContainerState) {
			ask(func(d *client.Driver) {
				state, err := d.State(t.Context(), c)
				must(err)
				status = state.Status
			})
			return status
		}
		if got := status(); got != specs.StateCreated {
			t.Errorf("after create: %s", got)
		}
		ask(func(d *client.Driver) { must(d.Start(t.Context(), c)) })
		if got := status(); got != specs.StateRunning {
			t.Errorf("after start: %s", got)
		}
		ask(func(d *client.Driver) { must(d.Kill(t.Context(), c, syscall.SIGKILL, true)) })
		eventually(t, "it is stopped", func() bool { return status() == specs.StateStopped })
		ask(func(d *client.Driver) { must(d.Delete(t.Context(), c, false)) })
		ask(func(d *client.Driver) {
			if _, err := d.State(t.Context(), c); sdk.Kind(err) != sdk.ErrNotFound {
				t.Errorf("after delete: %v", err)
			}
		})
	})
}
