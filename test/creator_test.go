package test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// creator is a driver for a runtime that only creates and starts: it hides that runc and crun can run.
type creator struct{ settings *creatorSettings }

type creatorSettings struct {
	Runtime string `json:"runtime" doc:"runc or crun"`
	Fault   string `json:"fault" doc:"what goes wrong: start fails, or create or start hangs: hang-create, hang-start"`
	Reached string `json:"reached" doc:"file that is there when it hangs"`
}

// Settings implements sdk.Configurer.
func (d *creator) Settings() any { return d.settings }

// Run implements sdk.Driver.
func (d *creator) Run(context.Context, *sdk.Container) (*sdk.Command, error) {
	return nil, fmt.Errorf("this runtime has no such command: %w", sdk.ErrUnsupported)
}

// Create implements sdk.Creator.
func (d *creator) Create(ctx context.Context, c *sdk.Container) (*sdk.Command, error) {
	if err := d.hang(ctx, "create"); err != nil {
		return nil, err
	}
	args := []string{d.settings.Runtime, "--root", c.Root, "create", "--bundle", c.Bundle, "--pid-file", c.IO.PidFile}
	if c.IO.ConsoleSocket != "" {
		args = append(args, "--console-socket", c.IO.ConsoleSocket)
	}
	if c.Files > 0 {
		args = append(args, "--preserve-fds", strconv.Itoa(c.Files))
	}
	return &sdk.Command{Path: "/usr/bin/" + d.settings.Runtime, Args: append(args, c.ID), Env: []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}}, nil
}

// Start implements sdk.Creator.
func (d *creator) Start(ctx context.Context, c *sdk.Container) error {
	if d.settings.Fault == "start" {
		return errors.New("the runtime is out of order")
	}
	if err := d.hang(ctx, "start"); err != nil {
		return err
	}
	_, err := d.short(ctx, c, "start", c.ID)
	return err
}

// hang makes the call last until it is given up, where the settings say so.
func (d *creator) hang(ctx context.Context, call string) error {
	if d.settings.Fault != "hang-"+call {
		return nil
	}
	if err := os.WriteFile(d.settings.Reached, nil, 0o600); err != nil {
		return err
	}
	<-ctx.Done()
	return ctx.Err()
}

// State implements sdk.Lifecycle.
func (d *creator) State(ctx context.Context, c *sdk.Container) (*specs.State, error) {
	text, err := d.short(ctx, c, "state", c.ID)
	if err != nil {
		return nil, err
	}
	var state specs.State
	return &state, json.Unmarshal(text, &state)
}

// Kill implements sdk.Lifecycle.
func (d *creator) Kill(ctx context.Context, c *sdk.Container, sig syscall.Signal, _ bool) error {
	_, err := d.short(ctx, c, "kill", c.ID, strconv.Itoa(int(sig)))
	return err
}

// Delete implements sdk.Lifecycle.
func (d *creator) Delete(ctx context.Context, c *sdk.Container, force bool) error {
	args := []string{"delete", c.ID}
	if force {
		args = []string{"delete", "--force", c.ID}
	}
	_, err := d.short(ctx, c, args...)
	return err
}

// short makes a short call of the runtime.
func (d *creator) short(ctx context.Context, c *sdk.Container, args ...string) ([]byte, error) {
	cmd := exec.CommandContext(ctx, "/usr/bin/"+d.settings.Runtime, append([]string{"--root", c.Root}, args...)...)
	cmd.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	var words bytes.Buffer
	cmd.Stderr = &words
	out, err := cmd.Output()
	if err != nil {
		text := strings.TrimSpace(words.String())
		err = fmt.Errorf("%s %s: %w: %s", d.settings.Runtime, args[0], err, text)
		if strings.Contains(text, "does not exist") || strings.Contains(text, "No such file") {
			err = sdk.Mark(err, sdk.ErrNotFound)
		}
	}
	return out, err
}
