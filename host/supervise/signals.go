package supervise

import (
	"os"
	"os/signal"
	"syscall"

	"golang.org/x/sys/unix"
)

// ours says whether a signal concerns this process alone: its children, faults of its own, what it writes,
// and Go's SIGURG (runtime, signal_unix.go). 32 and 33 are the C library's; SIGKILL and SIGSTOP nobody
// can catch.
func ours(sig syscall.Signal) bool {
	switch sig {
	case unix.SIGCHLD, unix.SIGURG, unix.SIGPIPE, unix.SIGPROF, unix.SIGTTIN, unix.SIGTTOU,
		unix.SIGSEGV, unix.SIGBUS, unix.SIGFPE, unix.SIGILL, unix.SIGTRAP, unix.SIGSYS,
		unix.SIGKILL, unix.SIGSTOP, 32, 33:
		return true
	}
	return false
}

// signals are those that this process gets in the container's place.
type signals struct{ incoming chan os.Signal }

// hear begins to collect them, in the order in which they come.
func hear() *signals {
	s := &signals{incoming: make(chan os.Signal, 256)}
	for sig := syscall.Signal(1); sig <= 64; sig++ {
		if !ours(sig) && !signal.Ignored(sig) {
			signal.Notify(s.incoming, sig)
		}
	}
	return s
}

// forward passes on what has come and what comes, each once. With a terminal of its own the container
// gets the size instead of SIGWINCH.
func (s *signals) forward(p *process, console *Console) {
	go func() {
		for sig := range s.incoming {
			sig := sig.(syscall.Signal)
			if sig == unix.SIGWINCH && console != nil {
				console.resize()
				continue
			}
			p.signal(sig)
			if sig == unix.SIGTSTP { // whoever stopped us waits for us to stop
				_ = unix.Kill(os.Getpid(), unix.SIGSTOP)
			}
		}
	}()
}

func (s *signals) stop() {
	signal.Stop(s.incoming)
	close(s.incoming)
}
