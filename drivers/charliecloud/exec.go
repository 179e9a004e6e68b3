package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/sdk"
)

// Exec implements sdk.Execer: another ch-run that joins the namespaces of the container's process.
func (d *driver) Exec(_ context.Context, c *sdk.Container, p *sdk.Process) (*sdk.Command, error) {
	if err := d.present(); err != nil {
		return nil, err
	}
	if err := checkIO(p.IO); err != nil {
		return nil, err
	}
	var process specs.Process
	if err := json.Unmarshal(p.Spec, &process); err != nil {
		return nil, fmt.Errorf("parsing the process: %w", sdk.Mark(err, sdk.ErrInvalid))
	}
	if len(process.Args) == 0 || !strings.HasPrefix(process.Cwd, "/") {
		return nil, sdk.Mark(errors.New("the process has no args, or no absolute cwd"), sdk.ErrInvalid)
	}
	if c.Pid == 0 {
		return nil, fmt.Errorf("container %q: %w", c.ID, sdk.ErrNotFound)
	}
	spec, err := c.Spec()
	if err != nil {
		return nil, err
	}
	if own := spec.Process.User; process.User.UID != own.UID || process.User.GID != own.GID {
		return nil, unsupported("process.user", "ch-run can only join as the container's own user, %d:%d", own.UID, own.GID)
	}
	if err := d.refuse(refusals().OfProcess(&process, c)); err != nil {
		return nil, err
	}
	if own := spec.Process.Args; len(own) > 0 && isInit(own[0]) && !isInit(process.Args[0]) {
		process.Args = append([]string{own[0], "--"}, process.Args...)
	}
	pid, err := inside(c.Pid)
	if err != nil {
		return nil, fmt.Errorf("container %q: %w", c.ID, err)
	}
	return d.command(&process, spec.Root.Path, nil, []string{"--join-pid=" + strconv.Itoa(pid)})
}

// inside returns a process that is in the container: the one that the host knows, or its child
// where that is a ch-run that serves a SquashFS image. One whose root is still the node's is on its
// way: who joined it now would run on the node. ErrState: there is none (yet).
func inside(pid int) (int, error) {
	children, _ := os.ReadFile(fmt.Sprintf("/proc/%d/task/%d/children", pid, pid))
	for _, field := range append([]string{strconv.Itoa(pid)}, strings.Fields(string(children))...) {
		node, err1 := os.Stat("/")
		root, err2 := os.Stat("/proc/" + field + "/root/")
		if err1 == nil && err2 == nil && !os.SameFile(node, root) {
			return strconv.Atoi(field)
		}
	}
	return 0, sdk.Mark(errors.New("its program is not running in it, or not yet"), sdk.ErrState)
}
