package client

import (
	"errors"
	"fmt"
	"os"
	"time"

	"golang.org/x/sys/unix"
)

// begin notes the driver's pid, and kills it where its end was wanted before its beginning.
func (p *process) begin(pid int) {
	p.mu.Lock()
	p.pid = pid
	stop := p.stopping
	p.mu.Unlock()
	if stop {
		p.kill()
	}
}

// reap waits for the driver, kills what is left of its process group while the driver's pid still
// names it, and reaps the driver.
func (p *process) reap() {
	for {
		err := unix.Waitid(unix.P_PID, p.pid, nil, unix.WEXITED|unix.WNOWAIT, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	_ = unix.Kill(-p.pid, unix.SIGKILL)
	p.mu.Lock()
	for {
		_, err := unix.Wait4(p.pid, &p.status, 0, nil)
		if !errors.Is(err, unix.EINTR) {
			break
		}
	}
	p.reaped = true
	p.mu.Unlock()
	close(p.ended)
}

// kill sends SIGKILL to the driver's process group. It reaches a stopped driver too.
func (p *process) kill() {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.stopping = true
	if p.pid > 0 && !p.reaped {
		p.killed = true
		_ = unix.Kill(-p.pid, unix.SIGKILL)
		_ = unix.Kill(p.pid, unix.SIGKILL) // in case it has left its group
	}
}

// endLimit is how long a killed driver may take to end. Only one in uninterruptible sleep takes
// longer than milliseconds; it is then left to its fate, and to its parent-death signal.
const endLimit = 5 * time.Second

// end kills the driver, returns once it is reaped and its pipes are closed, and removes its socket.
func (p *process) end() {
	p.kill()
	if p.id() > 0 && !p.waitEnded(endLimit) {
		p.cfg.Log.Error("a killed driver does not end", "driver", p.cfg.Name, "pid", p.id())
	}
	p.log.finish()
	for _, f := range p.pipes {
		f.Close()
	}
	if p.socketDir != "" {
		if err := os.RemoveAll(p.socketDir); err != nil {
			p.cfg.Log.Warn("removing a driver's socket", "driver", p.cfg.Name, "error", err)
		}
	}
}

// howEnded says how the process ended of itself, or "".
func (p *process) howEnded() string {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch {
	case !p.reaped || p.killed:
		return ""
	case p.status.Signaled():
		return "killed by " + unix.SignalName(p.status.Signal())
	default:
		return fmt.Sprintf("exit status %d", p.status.ExitStatus())
	}
}

func (p *process) id() int {
	p.mu.Lock()
	defer p.mu.Unlock()
	return p.pid
}
