package handoff

import (
	"context"
	"os"
	"os/signal"
	"syscall"
	"unsafe"

	"golang.org/x/sys/unix"
)

// endings are the signals by which a person or a cluster asks a process to end.
var endings = [...]os.Signal{syscall.SIGHUP, syscall.SIGINT, syscall.SIGQUIT, syscall.SIGTERM}

// signals holds back the signals that would end the host in the middle of its work, so that it
// can clean up first.
type signals struct {
	held    []os.Signal
	channel chan os.Signal
	ctx     context.Context
	cancel  context.CancelCauseFunc
	done    chan struct{} // closed when everything in channel has been looked at
	letting bool
}

func holdSignals() *signals {
	s := &signals{channel: make(chan os.Signal, 16), done: make(chan struct{})}
	s.ctx, s.cancel = context.WithCancelCause(context.Background())
	for _, sig := range endings {
		if !signal.Ignored(sig) { // as nohup does; then it is not for us to hear
			s.held = append(s.held, sig)
		}
	}
	if len(s.held) > 0 {
		signal.Notify(s.channel, s.held...)
	}
	go func() {
		defer close(s.done)
		for sig := range s.channel {
			s.cancel(interrupted{sig.(syscall.Signal)}) // the first one counts
		}
	}()
	return s
}

type interrupted struct{ signal syscall.Signal }

func (i interrupted) Error() string { return "interrupted by " + unix.SignalName(i.signal) }

// letGo gives the signals back to the kernel. None is lost: it either had arrived before, and has
// ended the context, or it acts on the process itself. Calling it again is harmless.
func (s *signals) letGo() {
	if s.letting {
		return
	}
	s.letting = true
	for _, sig := range s.held {
		byDefault(sig.(syscall.Signal))
	}
	signal.Stop(s.channel) // waits until no signal is on its way into the channel
	close(s.channel)
	<-s.done
}

// Context is done when a signal asks the host to end. Its cause names the signal.
func (g *Guard) Context() context.Context { return g.signals.ctx }

// Interrupted returns the signal that ended Context, or 0. A caller that has cleaned up passes it
// to DieOf.
func (g *Guard) Interrupted() syscall.Signal {
	if i, ok := context.Cause(g.signals.ctx).(interrupted); ok {
		return i.signal
	}
	return 0
}

// DieOf ends the process by the signal that it was sent, so that its parent sees the truth. It does
// not return.
func (g *Guard) DieOf(sig syscall.Signal) {
	g.signals.letGo()
	byDefault(sig)
	_ = unix.Kill(unix.Getpid(), sig)
	select {} // the signal is on its way
}

// byDefault has the kernel act on sig. Go's own default is another: after SIGQUIT it prints all
// stacks and ends with status 2 (os/signal, "Default behavior of signals in Go programs").
func byDefault(sig syscall.Signal) {
	var action [64]byte // struct sigaction, which is smaller: SIG_DFL, no flags, empty mask
	const setSize = 8   // of a kernel's sigset_t; mips alone has 16
	_, _, _ = unix.RawSyscall6(unix.SYS_RT_SIGACTION, uintptr(sig), uintptr(unsafe.Pointer(&action)), 0, setSize, 0, 0)
}
