// Package anchor serves callers that insist on create and start, or on exec --detach, where a driver has
// only one command for all of it. The caller's call starts this program again; that second process, the
// anchor, makes the plan, holds the streams and the terminal, reports that it is ready, whereupon the
// first one ends, waits to be started, and becomes the plan. So the process that the caller was told of
// is the container, with its exact status.
//
// It ends before its start by any signal that it gets, and when its container's directory is gone.
package anchor

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/host/handoff"
	"github.com/berth-hpc/berth/host/trust"
	"github.com/berth-hpc/berth/sdk"
)

// variable names the descriptor at which the anchor reports, in its environment.
const variable = "BERTH_ANCHOR"

// Start starts this program again with the same arguments as an anchor, and returns once it is ready.
// files is the number of descriptors from 3 on that it gets besides the standard streams.
//
// With asUser, who is root of a user namespace is the user outside again in a further one, where
// supplementary groups do not exist: programs that take uid 0 for the node's root work there.
//
// The error is the one that the anchor reported, and nothing is left of it then.
func Start(g *handoff.Guard, files int, asUser bool) error {
	reader, writer, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("starting an anchor: %w", err)
	}
	defer reader.Close()
	cmd := command(files, writer)
	if asUser {
		mapBack(cmd.SysProcAttr)
	}
	if err := cmd.Start(); err != nil {
		writer.Close()
		return fmt.Errorf("starting an anchor: %w", err)
	}
	g.Keep(cmd.Process.Pid)
	writer.Close()
	defer passSignal(g, cmd.Process)()
	return await(cmd, reader)
}

func command(files int, report *os.File) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	for fd := 3; fd < 3+files; fd++ {
		cmd.ExtraFiles = append(cmd.ExtraFiles, os.NewFile(uintptr(fd), "passed on"))
	}
	cmd.ExtraFiles = append(cmd.ExtraFiles, report)
	cmd.Env = append(os.Environ(), variable+"="+strconv.Itoa(3+files))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: true} // a container is no part of its caller's job control
	return cmd
}

// mapBack has the process be who the root of this user namespace is outside.
func mapBack(attr *syscall.SysProcAttr) {
	uid, gid := trust.RootOutside()
	attr.Cloneflags |= unix.CLONE_NEWUSER
	attr.UidMappings = []syscall.SysProcIDMap{{ContainerID: uid, HostID: 0, Size: 1}}
	attr.GidMappings = []syscall.SysProcIDMap{{ContainerID: gid, HostID: 0, Size: 1}}
}

// passSignal has the process end where this one is asked to, or has been asked before.
func passSignal(g *handoff.Guard, p *os.Process) (stop func() bool) {
	return context.AfterFunc(g.Context(), func() {
		_ = p.Signal(g.Interrupted()) // one that has ended has reported it
	})
}

// outcome is what an anchor reports, as one JSON document.
type outcome struct {
	Error  string `json:"error,omitempty"`
	Kind   string `json:"kind,omitempty"`
	Advice string `json:"advice,omitempty"`
}

func await(cmd *exec.Cmd, reader io.Reader) error {
	var o outcome
	err := json.NewDecoder(reader).Decode(&o)
	if err == nil && o.Error == "" {
		return nil
	}
	_ = cmd.Wait() // it has ended or is about to: what it says counts, not its status
	if err != nil {
		return sdk.Mark(fmt.Errorf("the anchor ended without a report: %s", cmd.ProcessState), sdk.ErrUnavailable)
	}
	reported := errors.New(o.Error)
	for _, kind := range sdk.Kinds() {
		if kind.Error() == o.Kind {
			reported = sdk.Mark(reported, kind)
		}
	}
	if o.Advice == "" {
		return reported
	}
	return sdk.WithAdvice(reported, o.Advice)
}
