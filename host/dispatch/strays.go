package dispatch

import (
	"context"
	"errors"
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"github.com/berth-hpc/berth/host/state"
	"github.com/berth-hpc/berth/sdk"
)

// endStrays kills processes of the container that no state tells of. A runtime that is killed
// before it has written down what it started leaves a child that waits, for ever and with the
// runtime's own command line, to be told to go on: crun 1.8 does.
func (c *container) endStrays(ctx context.Context) error {
	entries, err := os.ReadDir("/proc")
	if err != nil {
		return fmt.Errorf("looking for processes of container %q: %w", c.dir.ID(), err)
	}
	for _, e := range entries {
		pid, err := strconv.Atoi(e.Name())
		if err != nil || pid == os.Getpid() || !c.makes(pid) {
			continue
		}
		if err := c.endStray(ctx, pid); err != nil && !errors.Is(err, sdk.ErrState) && !errors.Is(err, sdk.ErrInvalid) {
			return err
		}
	}
	return nil
}

// makes says whether a process is the runtime's that makes this container: only then a bundle is
// among its arguments, the container's own or with a root that is.
func (c *container) makes(pid int) bool {
	text, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", pid))
	if err != nil {
		return false
	}
	args := strings.Split(string(text), "\x00")
	after := func(option string) string {
		if i := slices.Index(args, option); i >= 0 && i+1 < len(args) {
			return args[i+1]
		}
		return ""
	}
	return after("--bundle") != "" && (after("--bundle") == c.dir.Path() || strings.HasPrefix(after("--root"), c.dir.Path()+"/"))
}

// endStray kills a process. sdk.ErrState: it has ended. sdk.ErrInvalid: it is another user's.
func (c *container) endStray(ctx context.Context, pid int) error {
	record, err := state.NewRecord(pid)
	if err != nil {
		return err
	}
	p, err := record.Process()
	if err != nil {
		return err
	}
	defer p.Close()
	if !c.makes(pid) { // looked at again, now that the process is held
		return nil
	}
	c.host.Log.Info("killing what a runtime has left", "id", c.dir.ID(), "pid", pid)
	if err := p.Signal(syscall.SIGKILL); err != nil {
		return err
	}
	return p.Wait(ctx)
}
