package client

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"runtime"
	"strings"
	"sync"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/internal/wire"
	"github.com/berth-hpc/berth/sdk/limit"
)

// process is the driver's process. It is the runner that go-plugin asks for, and unlike
// go-plugin's own it gives the driver no stdin, a process group of its own, death with the host,
// only the environment it is given, and an end that nothing can delay.
type process struct {
	cfg       Config
	ctx       context.Context // until the handshake
	socketDir string          // made by go-plugin in cfg.Scratch

	log   *driverLog
	pipes []*os.File

	ready  chan struct{} // closed once the handshake has been read, or cannot be
	socket string        // after ready: where the driver listens
	refuse error         // after ready: why the handshake is none

	ended  chan struct{} // closed once the process is reaped
	status unix.WaitStatus

	mu       sync.Mutex // guards what follows: no signal may go to a pid that has been reaped
	pid      int        // 0: not started
	reaped   bool
	stopping bool // it is to be killed, if only once it is started
	killed   bool // it was killed by us
}

func newProcess(ctx context.Context, cfg Config) *process {
	return &process{
		cfg: cfg, ctx: ctx, log: newDriverLog(cfg.Log.Named(cfg.Name)),
		ready: make(chan struct{}), ended: make(chan struct{}),
	}
}

// Start implements runner.Runner: it starts the driver and does not wait for its handshake.
func (p *process) Start(context.Context) error {
	null, err := os.OpenFile(os.DevNull, os.O_RDONLY, 0)
	if err != nil {
		return err
	}
	defer null.Close()
	stdout, stdoutW, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("making a pipe: %w", err)
	}
	defer stdoutW.Close()
	p.pipes = append(p.pipes, stdout)
	stderr, stderrW, err := os.Pipe()
	if err != nil {
		return fmt.Errorf("making a pipe: %w", err)
	}
	defer stderrW.Close()
	p.pipes = append(p.pipes, stderr)
	if err := p.spawn(null.Fd(), stdoutW.Fd(), stderrW.Fd()); err != nil {
		return p.unstartable(err)
	}
	// With the parent's ends closed, the pipes end with the driver.
	stdoutW.Close()
	stderrW.Close()
	p.log.start(stderr)
	go func() {
		defer close(p.ready)
		p.refuse = p.handshake(stdout)
	}()
	return nil
}

// unstartable says why the program cannot be executed.
func (p *process) unstartable(err error) error {
	if p.ctx.Err() != nil {
		return err
	}
	if _, statErr := os.Stat(p.cfg.Path); statErr == nil && errors.Is(err, unix.ENOENT) {
		err = errors.New("the interpreter or loader that it names is missing")
	}
	return badHandshake("starting %s: %v", p.cfg.Path, err)
}

func (p *process) handshake(stdout *os.File) error {
	// A child of the driver may hold the pipe longer than the driver lives.
	defer context.AfterFunc(p.ctx, func() { _ = stdout.SetReadDeadline(time.Unix(1, 0)) })()
	line, err := readHandshake(stdout)
	if err != nil && p.ctx.Err() != nil {
		err = p.ctx.Err() // the driver was killed for being late: how far it had come is no matter
	}
	if err != nil {
		p.waitEnded(deathNotice) // for its status and its last words
		return err
	}
	if p.socket, err = checkHandshake(line, p.socketDir); err != nil {
		return err
	}
	go func() { _, _ = io.Copy(io.Discard, stdout) }() // later output must not block the driver
	return nil
}

// spawn starts the program from a thread that lives as long as it: the driver's parent-death
// signal is tied to that thread, and so is no_new_privs, which must not reach the plan. It returns
// when p.ctx is done even where the execve hangs, as it can on a network file system.
func (p *process) spawn(files ...uintptr) error {
	started := make(chan error, 1)
	go func() {
		runtime.LockOSThread() // never unlocked: the thread ends with this goroutine
		if !p.cfg.MayGainPrivileges {
			if err := unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
				started <- fmt.Errorf("setting no_new_privs: %w", err)
				return
			}
		}
		pid, err := p.forkExec(files)
		if err == nil {
			p.begin(pid)
		}
		started <- err
		if err == nil {
			p.reap()
		}
	}()
	select {
	case err := <-started:
		return err
	case <-p.ctx.Done():
		return p.ctx.Err()
	}
}

func (p *process) forkExec(files []uintptr) (int, error) {
	path := p.cfg.Path
	if p.cfg.File != nil {
		// As descriptor 3 it stays open for the interpreter of a driver that is a script.
		files = append(files, p.cfg.File.Fd())
		path = "/proc/self/fd/3"
	}
	return syscall.ForkExec(path, []string{p.cfg.Path}, &syscall.ProcAttr{
		Dir:   "/",
		Env:   p.environment(),
		Files: files,
		Sys:   &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL},
	})
}

// environment is what the host gave, and what the protocol adds. A variable of the protocol that
// was inherited from somewhere must not reach the driver beside ours.
func (p *process) environment() []string {
	var env []string
	for _, entry := range p.cfg.Env {
		if name, _, _ := strings.Cut(entry, "="); !wire.Belongs(name) {
			env = append(env, entry)
		}
	}
	return append(env,
		wire.CookieName+"="+wire.Cookie,
		fmt.Sprintf("%s=%d", wire.VersionsName, wire.Version),
		wire.SocketDirName+"="+p.socketDir,
		wire.ProcsName+"="+wire.Procs,
	)
}

// deathNotice is how long a broken conversation waits to learn that the driver has ended.
const deathNotice = 500 * time.Millisecond

// waitEnded waits for the driver to be reaped, and says whether it is.
func (p *process) waitEnded(within time.Duration) bool {
	patience, cancel := limit.WithTimeout(context.WithoutCancel(p.ctx), within, "not ended")
	defer cancel()
	select {
	case <-p.ended:
		return true
	case <-patience.Done():
		return false
	}
}
