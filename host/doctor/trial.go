package doctor

import (
	"errors"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// nobody is the uid that has no rights anywhere (the kernel's overflow uid).
const nobody = 65534

// tryUserNamespace makes a child process in new user and mount namespaces and says why not; 0 where
// it could. uid is the caller's, or nobody for root to try it as an ordinary user: then the child is
// made by a thread that has become nobody.
func tryUserNamespace(uid int) (errno syscall.Errno) {
	onThread(func() {
		if uid == nobody && unix.Geteuid() == 0 {
			defer keepDumpable()()
			if errno = becomeNobody(); errno != 0 {
				return
			}
		}
		errno = cloneUserNamespace()
	})
	return errno
}

// cloneUserNamespace makes the child as the thread that it is called on. The child has nothing to
// execute and so ends by itself: that execve found no program proves that clone made the namespaces.
func cloneUserNamespace() (errno syscall.Errno) {
	_, err := syscall.ForkExec("", []string{""}, &syscall.ProcAttr{
		Sys: &syscall.SysProcAttr{Cloneflags: unix.CLONE_NEWUSER | unix.CLONE_NEWNS},
	})
	if !errors.As(err, &errno) || errno == syscall.ENOENT {
		return 0
	}
	return errno
}

// onThread runs f on a thread that ends with it, so that what f does to the thread stays there. It
// is never the process's first thread, which stands for the process in /proc and cannot end.
func onThread(f func()) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if unix.Gettid() == unix.Getpid() {
			onThread(f)
			runtime.UnlockOSThread()
			return
		}
		f()
	}()
	<-done
}

// becomeNobody gives up all rights, in this thread alone: the system calls themselves, without the
// C library or Go around them, change one thread (setresuid(2), "C library/kernel differences").
func becomeNobody() syscall.Errno {
	if _, _, errno := unix.RawSyscall(unix.SYS_SETRESGID, nobody, nobody, nobody); errno != 0 {
		return errno
	}
	_, _, errno := unix.RawSyscall(unix.SYS_SETRESUID, nobody, nobody, nobody)
	return errno
}

// keepDumpable returns what undoes a change of uid in the one thing that threads share: afterwards
// the process's files in /proc would belong to root whoever runs it (PR_SET_DUMPABLE(2const)).
func keepDumpable() func() {
	dumpable, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	return func() {
		if err == nil && dumpable == 1 {
			_ = unix.Prctl(unix.PR_SET_DUMPABLE, 1, 0, 0, 0)
		}
	}
}
