package main

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/capture"
	"github.com/berth-hpc/berth/drivers/internal/ociruntime"
	"github.com/berth-hpc/berth/sdk"
)

// inject gives the effective bundle the devices that it or its job asks for. nvidia-container-runtime
// edits bundles on its way to the low-level runtime, and only when it is told to create: so it is
// given a copy to edit, and a low-level runtime that does nothing. What it has added to the copy goes
// into the bundle, nothing else.
func (d *driver) inject(ctx context.Context, c *sdk.Container) error {
	if err := d.present(); err != nil {
		return err
	}
	spec, err := c.Spec()
	if err != nil {
		return err
	}
	choice := d.choose(spec, c.Step)
	if choice.asked == "" {
		return nil
	}
	document, err := readDocument(filepath.Join(c.Bundle, sdk.ConfigFile))
	if err != nil {
		return err
	}
	setEnv(document, choice.env)
	edited, config, err := d.edit(ctx, c, document)
	added := 0
	if err == nil {
		added, err = merge(document, spec, edited, config)
	}
	if err == nil && added == 0 && choice.required {
		err = sdk.Mark(errors.New("nvidia-container-runtime has added no device, mount or hook"), sdk.ErrUnavailable)
	}
	if err != nil {
		err = fmt.Errorf("giving the container %s: %w", choice.asked, err)
		if sdk.Advice(err) == "" {
			err = sdk.WithAdvice(err, "look for GPUs with nvidia-smi -L and nvidia-ctk cdi list, or run without: --env "+visible+"=void")
		}
		return err
	}
	return writeDocument(c.Bundle, document)
}

// edit has nvidia-container-runtime edit a copy of the document. It returns what came of it, and the
// configuration file that it was given.
func (d *driver) edit(ctx context.Context, c *sdk.Container, document map[string]any) (edited *specs.Spec, config string, err error) {
	dir := filepath.Join(c.Bundle, "nvidia")
	if err := os.Mkdir(dir, 0o700); err != nil {
		return nil, "", fmt.Errorf("making a copy of the bundle: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	if err := writeDocument(dir, document); err != nil {
		return nil, "", err
	}
	config = filepath.Join(dir, "config.toml")
	if err := d.configure(config); err != nil {
		return nil, "", err
	}
	if _, err := d.call(ctx, config, "create", "--bundle", dir, c.ID); err != nil {
		return nil, "", err
	}
	edited, err = (&sdk.Container{Bundle: dir}).Spec()
	if err != nil {
		return nil, "", fmt.Errorf("reading what nvidia-container-runtime has made: %w", err)
	}
	return edited, config, nil
}

const (
	searchPath = "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
	configName = "NVIDIA_CTK_CONFIG_FILE_PATH"
)

// call runs nvidia-container-runtime with a configuration file, and returns what it prints.
func (d *driver) call(ctx context.Context, config string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, d.settings.Runtime, args...)
	cmd.Env = []string{searchPath, configName + "=" + config}
	out, err := capture.Run(cmd)
	switch {
	case err == nil:
		return string(out.Stdout), nil
	case ctx.Err() != nil:
		return "", fmt.Errorf("nvidia-container-runtime did not end in time: %w", sdk.Mark(context.Cause(ctx), sdk.ErrUnavailable))
	case len(out.Stderr) > 0:
		err = errors.New(ociruntime.ErrorText(string(out.Stderr)))
	}
	return string(out.Stdout), fmt.Errorf("nvidia-container-runtime: %w", sdk.Mark(err, sdk.ErrUnavailable))
}

// readDocument reads a config.json with all its keys, also those that no type knows, and its numbers
// as they are written.
func readDocument(file string) (map[string]any, error) {
	text, err := os.ReadFile(file)
	if err != nil {
		return nil, fmt.Errorf("reading the effective bundle: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	decoder := json.NewDecoder(bytes.NewReader(text))
	decoder.UseNumber()
	var document map[string]any
	if err := decoder.Decode(&document); err != nil {
		return nil, fmt.Errorf("parsing the effective config.json: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	return document, nil
}

// writeDocument writes or replaces the config.json of a bundle.
func writeDocument(bundle string, document map[string]any) error {
	text, err := json.Marshal(document)
	if err == nil {
		err = os.WriteFile(filepath.Join(bundle, ".config.json"), text, 0o600)
	}
	if err == nil {
		err = os.Rename(filepath.Join(bundle, ".config.json"), filepath.Join(bundle, sdk.ConfigFile))
	}
	if err != nil {
		return fmt.Errorf("writing config.json: %w", sdk.Mark(err, sdk.ErrUnavailable))
	}
	return nil
}
