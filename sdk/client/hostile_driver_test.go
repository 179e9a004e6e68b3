package client

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/opencontainers/runtime-spec/specs-go"
	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// driver implements everything, and misbehaves in the call, or just after it.
type driver struct{ mode, rest string }

func (d *driver) act() {
	switch d.mode {
	case "call":
		misbehave(d.rest)
	case "late": // but answer
		pass()
	case "after":
		time.AfterFunc(time.Millisecond, func() { misbehave(d.rest) })
	}
}

func (d *driver) command() (*sdk.Command, error) {
	d.act()
	switch d.mode {
	case "report":
		return &sdk.Command{Path: "/report", Args: report(), Env: os.Environ()}, nil
	case "error":
		return nil, sdk.Mark(errors.New(d.rest), sdk.ErrState)
	}
	return &sdk.Command{Path: "/bin/true", Args: []string{"true"}}, nil
}

func (d *driver) Run(context.Context, *sdk.Container) (*sdk.Command, error)    { return d.command() }
func (d *driver) Create(context.Context, *sdk.Container) (*sdk.Command, error) { return d.command() }
func (d *driver) Exec(context.Context, *sdk.Container, *sdk.Process) (*sdk.Command, error) {
	return d.command()
}
func (d *driver) Start(context.Context, *sdk.Container) error { d.act(); return nil }
func (d *driver) State(_ context.Context, c *sdk.Container) (*specs.State, error) {
	d.act()
	return &specs.State{ID: c.ID, Status: specs.StateStopped}, nil
}
func (d *driver) Kill(context.Context, *sdk.Container, syscall.Signal, bool) error {
	d.act()
	return nil
}
func (d *driver) Delete(context.Context, *sdk.Container, bool) error            { d.act(); return nil }
func (d *driver) Pause(context.Context, *sdk.Container) error                   { d.act(); return nil }
func (d *driver) Resume(context.Context, *sdk.Container) error                  { d.act(); return nil }
func (d *driver) Update(context.Context, *sdk.Container, json.RawMessage) error { d.act(); return nil }
func (d *driver) Release(context.Context, *sdk.Step) error                      { d.act(); return nil }
func (d *driver) Check(context.Context) (*sdk.Runtime, error)                   { d.act(); return nil, nil }
func (d *driver) Prepare(_ context.Context, _ *sdk.Container, progress func(sdk.Progress)) error {
	progress(sdk.Progress{Text: "half-way"})
	d.act()
	return nil
}

// report describes the process for a test: NAME=VALUE.
func report() []string {
	lines := []string{"report"}
	add := func(name string, value any) { lines = append(lines, fmt.Sprintf("%s=%v", name, value)) }
	add("stdin", link("0"))
	add("stdout", link("1"))
	group, _ := unix.Getpgid(0)
	add("group", group == os.Getpid())
	dir, _ := os.Getwd()
	add("dir", dir)
	old := unix.Umask(0)
	unix.Umask(old)
	add("umask", fmt.Sprintf("%03o", old))
	status, _ := os.ReadFile("/proc/self/status")
	for _, line := range strings.Split(string(status), "\n") {
		if value, ok := strings.CutPrefix(line, "NoNewPrivs:\t"); ok {
			add("no_new_privs", value)
		}
	}
	initial, _ := os.ReadFile("/proc/self/environ")
	add("initial", strings.ReplaceAll(strings.TrimRight(string(initial), "\x00"), "\x00", " "))
	add("files", strings.Join(foreign(), " "))
	return lines
}

func link(fd string) string {
	target, _ := os.Readlink("/proc/self/fd/" + fd)
	return target
}

// foreign lists the descriptors of files and pipes above the standard streams.
func foreign() []string {
	var found []string
	links, _ := filepath.Glob("/proc/self/fd/*")
	for _, path := range links {
		fd := filepath.Base(path)
		if target := link(fd); len(fd) > 1 || fd > "2" {
			if strings.HasPrefix(target, "pipe:") || strings.HasPrefix(target, "/") && !ownedByRuntime(target) {
				found = append(found, fd+":"+target)
			}
		}
	}
	return found
}

// ownedByRuntime says whether Go itself opens that file, to learn of limits on processors.
func ownedByRuntime(target string) bool {
	return strings.HasPrefix(target, "/proc/") || strings.HasPrefix(target, "/sys/fs/cgroup/")
}
