package config

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/sdk"
)

func TestLoad(t *testing.T) {
	name := filepath.Join(t.TempDir(), "berth.toml")
	if err := os.WriteFile(name, []byte("default_driver = \"crun\"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	config, err := Load(os.Open, name)
	if err != nil {
		t.Fatal(err)
	}
	if config.Source != name || config.DefaultDriver != "crun" {
		t.Errorf("got %+v", config)
	}
}

func TestLoadWithoutFile(t *testing.T) {
	config, err := Load(os.Open, filepath.Join(t.TempDir(), "missing", "berth.toml"))
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(Default(), config, values); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestLoadErrors(t *testing.T) {
	dir := t.TempDir()
	large := filepath.Join(dir, "large")
	if err := os.WriteFile(large, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := os.Truncate(large, 1<<40); err != nil {
		t.Fatal(err)
	}
	bad := filepath.Join(dir, "bad")
	if err := os.WriteFile(bad, []byte("x"), 0o600); err != nil {
		t.Fatal(err)
	}
	fifo := filepath.Join(dir, "fifo")
	if err := syscall.Mkfifo(fifo, 0o600); err != nil {
		t.Fatal(err)
	}
	openFifo := func(name string) (*os.File, error) { return os.OpenFile(name, os.O_RDWR, 0) }
	untrusted := sdk.Mark(errors.New("/etc/berth: writable by others"), sdk.ErrInvalid)
	for name, c := range map[string]struct {
		open func(string) (*os.File, error)
		path string
		kind error
		want string
	}{
		"large":     {os.Open, large, sdk.ErrInvalid, "reading " + large + ": the file has 1099511627776 bytes, more than the 1048576 allowed"},
		"bad":       {os.Open, bad, sdk.ErrInvalid, bad + ":1:1: expected '=' after key"},
		"directory": {os.Open, dir, sdk.ErrInvalid, "reading " + dir + ": not a regular file"},
		"fifo":      {openFifo, fifo, sdk.ErrInvalid, "reading " + fifo + ": not a regular file"},
		"denied":    {func(string) (*os.File, error) { return nil, fs.ErrPermission }, bad, fs.ErrPermission, "opening the configuration: permission denied"},
		"untrusted": {func(string) (*os.File, error) { return nil, untrusted }, bad, sdk.ErrInvalid, "opening the configuration: /etc/berth: writable by others"},
	} {
		_, err := Load(c.open, c.path)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %v, want %s", name, err, c.want)
		}
		if !errors.Is(err, c.kind) {
			t.Errorf("%s: the error is not %v", name, c.kind)
		}
	}
}
