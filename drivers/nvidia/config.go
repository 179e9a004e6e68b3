package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"

	"github.com/pelletier/go-toml/v2"

	"github.com/berth-hpc/berth/sdk"
)

// configure writes the configuration for one edit: the node's own, with a low-level runtime that does
// nothing.
func (d *driver) configure(file string) error {
	config := map[string]any{}
	text, err := os.ReadFile(d.settings.Config)
	if err == nil {
		err = toml.Unmarshal(text, &config)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		return fmt.Errorf("reading %s: %w", d.settings.Config, sdk.Mark(err, sdk.ErrUnavailable))
	}
	runtime := table(config, "nvidia-container-runtime")
	runtime["runtimes"] = []string{"/bin/true"}
	if d.settings.Mode != "" {
		runtime["mode"] = d.settings.Mode
	}
	// What its types do not know is no reason to fail: it is not lost, see merge.
	table(config, "features")["allow-unknown-oci-spec-fields"] = true
	if os.Geteuid() != 0 {
		table(config, "nvidia-container-cli")["no-cgroups"] = true // which an ordinary user cannot set
	}
	text, err = toml.Marshal(config)
	if err != nil {
		return fmt.Errorf("writing a configuration for nvidia-container-runtime: %w", err)
	}
	if err := os.WriteFile(file, text, 0o600); err != nil {
		return fmt.Errorf("writing a configuration for nvidia-container-runtime: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}

// table returns a table of the configuration, made where there is none.
func table(config map[string]any, name string) map[string]any {
	t, ok := config[name].(map[string]any)
	if !ok {
		t = map[string]any{}
		config[name] = t
	}
	return t
}
