package handoff

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/limit"
)

// children lists the children of this process. A job may have some before berth replaces its
// shell; they are the job's, and stay.
func children() map[int]bool {
	found := map[int]bool{}
	if err := unix.Waitid(unix.P_ALL, 0, nil, unix.WEXITED|unix.WNOHANG|unix.WNOWAIT|unix.WALL, nil); errors.Is(err, unix.ECHILD) {
		return found // as nearly always: there is no need to read /proc
	}
	threads, err := os.ReadDir("/proc/self/task")
	if err != nil {
		return found
	}
	for _, thread := range threads {
		text, err := os.ReadFile("/proc/self/task/" + thread.Name() + "/children")
		if err != nil {
			continue // the thread is gone
		}
		for _, field := range strings.Fields(string(text)) {
			if pid, err := strconv.Atoi(field); err == nil {
				found[pid] = true
			}
		}
	}
	return found
}

// strayLimit is how long killed strays may take to end, each round of them and all together.
const strayLimit = 2 * time.Second

// reapStrays kills and reaps the children that this process did not have at Begin: what a driver
// started and did not end. An unreaped one would be inherited by the user's program. Killing one can
// orphan its children to us, so it looks again until there are none. The error says that one does
// not end.
func (g *Guard) reapStrays() error {
	ctx, cancel := limit.WithTimeout(context.Background(), strayLimit, "not ended")
	defer cancel()
	for {
		left := 0
		for pid := range children() {
			if g.children[pid] {
				continue
			}
			_ = unix.Kill(pid, unix.SIGKILL)
			if !reaped(pid) {
				left = pid
			}
		}
		switch {
		case left == 0 && !g.hasStrays():
			return nil
		case ctx.Err() != nil:
			return fmt.Errorf("the driver left processes that do not end, such as pid %d", left)
		case left != 0:
			time.Sleep(time.Millisecond)
		}
	}
}

func (g *Guard) hasStrays() bool {
	for pid := range children() {
		if !g.children[pid] {
			return true
		}
	}
	return false
}

// reaped says whether the child is gone now.
func reaped(pid int) bool {
	for {
		got, err := unix.Wait4(pid, nil, unix.WNOHANG, nil)
		if !errors.Is(err, unix.EINTR) {
			return got == pid || err != nil
		}
	}
}
