package state

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"strconv"
	"strings"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// openProcess holds the process that has this pid now. sdk.ErrState where there is none that runs.
//
// Everything that is read about it afterwards, by its number in /proc, is about the recorded process
// if the start time is: that process had the pid before it was opened here and had it still when its
// start time was read.
func openProcess(pid int) (*Process, error) {
	fd, err := unix.PidfdOpen(pid, 0)
	switch err {
	case nil:
	case unix.ESRCH, unix.EINVAL, unix.ENOENT: // EINVAL, ENOENT: now the ID of a thread
		return nil, ended(pid)
	case unix.ENOSYS:
		return nil, sdk.Mark(errors.New("this kernel has no pidfd_open: Linux 5.3 or later is needed"), sdk.ErrUnavailable)
	default:
		return nil, sdk.Mark(fmt.Errorf("opening process %d: %w", pid, err), sdk.ErrUnavailable)
	}
	return &Process{pidfd: fd, pid: pid}, nil
}

// over says whether every thread of the process has ended, reaped or not (pidfd_open(2)).
func (p *Process) over() bool {
	fds := []unix.PollFd{{Fd: int32(p.pidfd), Events: unix.POLLIN}}
	for {
		n, err := unix.Poll(fds, 0)
		if err != unix.EINTR {
			return err == nil && n == 1
		}
	}
}

// startTime reads when the process was started, in clock ticks since boot. sdk.ErrState where it has
// ended.
func (p *Process) startTime() (uint64, error) {
	data, err := p.read("stat")
	if err != nil {
		return 0, err
	}
	// The second field, the program's name in parentheses, may hold anything.
	const after = 22 - 3 // the start time is field 22, the first behind the name is field 3
	fields := strings.Fields(data[strings.LastIndexByte(data, ')')+1:])
	if len(fields) <= after {
		return 0, sdk.Mark(fmt.Errorf("reading the start time of process %d: %q", p.pid, data), sdk.ErrUnavailable)
	}
	start, err := strconv.ParseUint(fields[after], 10, 64)
	if err != nil {
		return 0, sdk.Mark(fmt.Errorf("reading the start time of process %d: %w", p.pid, err), sdk.ErrUnavailable)
	}
	return start, nil
}

// uids reads the real, effective, saved and file system uid of the process.
func (p *Process) uids() ([]int, error) {
	data, err := p.read("status")
	if err != nil {
		return nil, err
	}
	var uids []int
	_, line, _ := strings.Cut(data, "\nUid:")
	line, _, _ = strings.Cut(line, "\n")
	for field := range strings.FieldsSeq(line) {
		uid, err := strconv.Atoi(field)
		if err != nil {
			return nil, sdk.Mark(fmt.Errorf("reading the uids of process %d: %w", p.pid, err), sdk.ErrUnavailable)
		}
		uids = append(uids, uid)
	}
	return uids, nil
}

// namespaceOwner reads the uid that made the process's user namespace (ioctl_ns(2)).
func (p *Process) namespaceOwner() (int, error) {
	path, err := p.proc()
	if err != nil {
		return -1, err
	}
	f, err := os.Open(path + "/ns/user")
	if err != nil {
		return -1, err
	}
	defer f.Close()
	uid, err := unix.IoctlGetUint32(int(f.Fd()), unix.NS_GET_OWNER_UID)
	return int(uid), err
}

// read reads a file of the process in /proc. sdk.ErrState where the process has ended.
func (p *Process) read(name string) (string, error) {
	path, err := p.proc()
	if err != nil {
		return "", err
	}
	data, err := os.ReadFile(path + "/" + name)
	// Only now: had it ended before the reading, the answer could be another process's.
	if p.over() {
		return "", ended(p.pid)
	}
	if errors.Is(err, fs.ErrNotExist) {
		err = fmt.Errorf("%w: is /proc mounted with hidepid?", err)
	}
	if err != nil {
		return "", sdk.Mark(err, sdk.ErrUnavailable)
	}
	return string(data), nil
}

// proc returns the process's directory in /proc, which may be of another pid namespace than this
// process's, with other numbers.
func (p *Process) proc() (string, error) {
	info, err := os.ReadFile("/proc/self/fdinfo/" + strconv.Itoa(p.pidfd))
	if err != nil {
		return "", sdk.Mark(fmt.Errorf("looking for process %d in /proc: %w", p.pid, err), sdk.ErrUnavailable)
	}
	_, pid, _ := strings.Cut(string(info), "\nPid:")
	pid, _, _ = strings.Cut(pid, "\n")
	switch pid = strings.TrimSpace(pid); pid {
	case "-1":
		return "", ended(p.pid)
	case "", "0":
		return "", sdk.Mark(fmt.Errorf("process %d is not in this /proc", p.pid), sdk.ErrUnavailable)
	}
	return "/proc/" + pid, nil
}
