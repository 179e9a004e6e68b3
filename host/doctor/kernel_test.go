package doctor

import (
	"runtime"
	"strings"
	"syscall"
	"testing"
	"unsafe"

	"golang.org/x/sys/unix"
)

func TestSysctls(t *testing.T) {
	tests := []struct {
		check  check
		file   string
		value  string // "" for a kernel without the parameter
		status Status
		mend   string
	}{
		{unprivilegedUserns(), "kernel/unprivileged_userns_clone", "1", StatusOK, ""},
		{unprivilegedUserns(), "kernel/unprivileged_userns_clone", "", StatusOK, ""},
		{unprivilegedUserns(), "kernel/unprivileged_userns_clone", "0", StatusBroken, "sysctl -w kernel.unprivileged_userns_clone=1"},
		{apparmorUnconfined(), "kernel/apparmor_restrict_unprivileged_unconfined", "0", StatusOK, ""},
		{apparmorUnconfined(), "kernel/apparmor_restrict_unprivileged_unconfined", "", StatusOK, ""},
		{apparmorUnconfined(), "kernel/apparmor_restrict_unprivileged_unconfined", "1", StatusWarning, "sysctl -w kernel.apparmor_restrict_unprivileged_unconfined=0"},
		{apparmorUserns(), "kernel/apparmor_restrict_unprivileged_userns", "0", StatusOK, ""},
		{apparmorUserns(), "kernel/apparmor_restrict_unprivileged_userns", "", StatusOK, ""},
		{apparmorUserns(), "kernel/apparmor_restrict_unprivileged_userns", "1", StatusWarning, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
		{maxUserNamespaces(), "user/max_user_namespaces", "96365", StatusOK, ""},
		{maxUserNamespaces(), "user/max_user_namespaces", "", StatusOK, ""},
		{maxUserNamespaces(), "user/max_user_namespaces", "1023", StatusWarning, "sysctl -w user.max_user_namespaces=15000"},
		{maxUserNamespaces(), "user/max_user_namespaces", "0", StatusBroken, "sysctl -w user.max_user_namespaces=15000"},
	}
	for _, test := range tests {
		t.Run(test.check.name+"="+test.value, func(t *testing.T) {
			n := goodNode(t)
			if test.value != "" {
				write(t, n, "proc/sys/"+test.file, test.value+"\n")
			}
			one(t, examine(t, n, test.check), test.status, strings.ReplaceAll(test.file, "/", "."), test.mend)
		})
	}
}

// The trial leaves the process as it was, whoever it was made as.
func TestUserNamespaceTrial(t *testing.T) {
	before, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	must(t, err)
	errno := tryUserNamespace(goodNode(t).triedAs())
	switch errno {
	case 0, syscall.EPERM, syscall.EACCES, syscall.ENOSPC, syscall.EUSERS, syscall.EINVAL, syscall.ENOSYS:
	default:
		t.Errorf("the trial failed with %v, which clone does not say", errno)
	}
	for range 32 { // more threads than the process has idle ones
		onThread(func() {})
	}
	ids := make(chan int)
	for range 8 {
		go func() {
			runtime.LockOSThread()
			defer runtime.UnlockOSThread()
			uid, _, _ := unix.RawSyscall(unix.SYS_GETEUID, 0, 0, 0)
			ids <- int(uid)
		}()
		if uid := <-ids; uid != unix.Geteuid() {
			t.Errorf("a thread has become uid %d", uid)
		}
	}
	after, err := unix.PrctlRetInt(unix.PR_GET_DUMPABLE, 0, 0, 0, 0)
	must(t, err)
	if after != before {
		t.Errorf("dumpable was %d and is %d", before, after)
	}
	if pid, err := unix.Wait4(-1, nil, unix.WNOHANG, nil); err != unix.ECHILD {
		t.Errorf("a child is left: %d, %v", pid, err)
	}
}

func TestUserNamespacesHere(t *testing.T) {
	n := goodNode(t)
	f := examine(t, n, userNamespaces())
	if errno := tryUserNamespace(goodNode(t).triedAs()); errno == 0 {
		one(t, f, StatusOK, "can make a user namespace", "")
	} else if f[0].Status == StatusOK {
		t.Errorf("found %+v although the trial says %v", f, errno)
	}
}

func TestUserNamespacesRefused(t *testing.T) {
	tests := []struct {
		errno   unix.Errno
		profile string
		status  Status
		mend    string
	}{
		{unix.ENOSPC, "", StatusBroken, "sysctl -w user.max_user_namespaces=15000"},
		{unix.EUSERS, "", StatusBroken, "sysctl -w user.max_user_namespaces=15000"},
		{unix.EINVAL, "", StatusBroken, "apt-get install --only-upgrade linux-image-*"},
		{unix.EPERM, "", StatusBroken, "dmesg --level warn,err"},
		{unix.EPERM, "1", StatusWarning, "sysctl -w kernel.apparmor_restrict_unprivileged_userns=0"},
	}
	for _, test := range tests {
		t.Run(test.errno.Error()+test.profile, func(t *testing.T) {
			n := goodNode(t)
			if test.profile != "" {
				write(t, n, "proc/sys/kernel/apparmor_restrict_unprivileged_userns", test.profile)
			}
			var findings []Finding
			// Go's fork of a child in namespaces is clone; a filter of the thread is its child's.
			refuse(t, unix.SYS_CLONE, test.errno, func() {
				findings = examine(t, n, userNamespacesBy(func(int) syscall.Errno { return cloneUserNamespace() }))
			})
			one(t, findings, test.status, test.errno.Error(), test.mend)
		})
	}
}

func TestKernelCalls(t *testing.T) {
	one(t, examine(t, goodNode(t), kernelCalls()), StatusOK, "work", "")
	const upgrade = "apt-get install --only-upgrade linux-image-*"
	tests := []struct {
		name   string
		number uint32
		errno  unix.Errno
		status Status
		mend   string
	}{
		{"close_range", unix.SYS_CLOSE_RANGE, unix.ENOSYS, StatusBroken, upgrade},
		{"close_range", unix.SYS_CLOSE_RANGE, unix.EINVAL, StatusBroken, upgrade},
		{"pidfd_open", unix.SYS_PIDFD_OPEN, unix.ENOSYS, StatusBroken, upgrade},
		{"pidfd_open", unix.SYS_PIDFD_OPEN, unix.EPERM, StatusBroken, "grep Seccomp /proc/self/status"},
		{"openat2", unix.SYS_OPENAT2, unix.ENOSYS, StatusNote, upgrade},
		{"openat2", unix.SYS_OPENAT2, unix.EPERM, StatusNote, upgrade},
	}
	for _, test := range tests {
		t.Run(test.name+" "+test.errno.Error(), func(t *testing.T) {
			n := goodNode(t)
			var findings []Finding
			refuse(t, test.number, test.errno, func() { findings = examine(t, n, kernelCalls()) })
			one(t, findings, test.status, test.name, test.mend)
		})
	}
}

// refuse runs f on a thread of its own for which a seccomp filter answers a system call with errno.
func refuse(t *testing.T, call uint32, errno unix.Errno, f func()) {
	t.Helper()
	program := []unix.SockFilter{
		{Code: unix.BPF_LD | unix.BPF_W | unix.BPF_ABS, K: 0}, // the call's number
		{Code: unix.BPF_JMP | unix.BPF_JEQ | unix.BPF_K, Jf: 1, K: call},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ERRNO | uint32(errno)},
		{Code: unix.BPF_RET | unix.BPF_K, K: unix.SECCOMP_RET_ALLOW},
	}
	filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
	var err error
	onThread(func() {
		if err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0); err != nil {
			return
		}
		if err = unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&filter)), 0, 0); err != nil {
			return
		}
		f()
	})
	if err != nil {
		t.Skip("needs a kernel with seccomp filters: ", err)
	}
}
