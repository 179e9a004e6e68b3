package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/drivers/internal/prlimit"
	"github.com/berth-hpc/berth/sdk"
)

// Exec implements sdk.Execer: enroot joins the namespaces of the container's process. berth-init makes
// the environment what it is to be, not that of the process, of which enroot takes each line for a variable.
func (d *driver) Exec(_ context.Context, c *sdk.Container, p *sdk.Process) (*sdk.Command, error) {
	if err := d.present(); err != nil {
		return nil, err
	}
	if err := checkIO(p.IO, p.Files); err != nil {
		return nil, err
	}
	process, spec, err := further(c, p)
	if err != nil {
		return nil, err
	}
	if err := d.refuse(refusals().OfProcess(process, c)); err != nil {
		return nil, err
	}
	if err := inside(c.Pid); err != nil {
		return nil, fmt.Errorf("container %q: %w", c.ID, err)
	}
	l := &layout{dir: filepath.Join(c.Bundle, containerDir)}
	l.dev = l.path("dev")
	name := fmt.Sprintf("%s-%d", environmentName, os.Getpid()) // one for each of those that may start at once
	if _, err := l.environment(name, process.Env); err != nil {
		return nil, err
	}
	if isInit(process.Args[0]) {
		process.Args = process.Args[1:]
	} else {
		process.Args = append([]string{"--"}, process.Args...)
	}
	cmd := &sdk.Command{Path: d.settings.Runtime, Env: d.environment(paths{
		runtime: l.path("run"), config: l.path("config"), cache: l.path("run"), data: l.path("data"), temp: l.path("run"),
	})}
	cmd.Args = append([]string{filepath.Base(cmd.Path), "exec", "--", strconv.Itoa(c.Pid), spec.Process.Args[0], "/dev/" + name, "--cwd", process.Cwd}, process.Args...)
	return cmd, prlimit.Limit(cmd, process.Rlimits)
}

// further reads the further program and its container, and says where the two do not go together.
func further(c *sdk.Container, p *sdk.Process) (*specs.Process, *specs.Spec, error) {
	var process specs.Process
	if err := json.Unmarshal(p.Spec, &process); err != nil {
		return nil, nil, fmt.Errorf("parsing the process: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	if len(process.Args) == 0 || !strings.HasPrefix(process.Cwd, "/") {
		return nil, nil, sdk.Mark(errors.New("the process has no args, or no absolute cwd"), sdk.ErrInvalid)
	}
	if c.Pid == 0 {
		return nil, nil, fmt.Errorf("container %q: %w", c.ID, sdk.ErrNotFound)
	}
	spec, err := c.Spec()
	if err != nil {
		return nil, nil, err
	}
	if own := spec.Process.User; process.User.UID != own.UID || process.User.GID != own.GID {
		return nil, nil, unsupported("process.user", "enroot can only join as the container's own user, %d:%d", own.UID, own.GID)
	}
	return &process, spec, nil
}

var errNotRunning = errors.New("its program is not running in it, or not yet")

// inside says whether a process is in its container. One whose root is still the node's is on its way:
// who joined it now would run on the node.
func inside(pid int) error {
	node, err1 := os.Stat("/")
	root, err2 := os.Stat(fmt.Sprintf("/proc/%d/root/", pid))
	if err1 != nil || err2 != nil || os.SameFile(node, root) {
		return sdk.Mark(errNotRunning, sdk.ErrState)
	}
	return nil
}
