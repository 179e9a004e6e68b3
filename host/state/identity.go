package state

import (
	"fmt"
	"os"
	"strings"

	"github.com/berth-hpc/berth/sdk"
	"golang.org/x/sys/unix"
)

// identify fills in what tells the process pid from every other.
func identify(pid int) (Record, error) {
	p, err := openProcess(pid)
	if err != nil {
		return Record{}, err
	}
	defer p.Close()
	rec := Record{UID: known(os.Geteuid()), Pid: pid}
	if rec.BootID, err = bootID(); err != nil {
		return Record{}, err
	}
	if rec.PidNamespace, err = pidNamespace(); err != nil {
		return Record{}, err
	}
	if rec.StartTime, err = p.startTime(); err != nil {
		return Record{}, err
	}
	return rec, nil
}

// bootID is different after each boot of the node (random(4)).
func bootID() (string, error) {
	data, err := os.ReadFile("/proc/sys/kernel/random/boot_id")
	if err != nil {
		return "", sdk.Mark(err, sdk.ErrUnavailable)
	}
	return strings.TrimSpace(string(data)), nil
}

// pidNamespace is the inode of this process's pid namespace, which tells namespaces of one boot
// apart (namespaces(7)).
func pidNamespace() (uint64, error) {
	var st unix.Stat_t
	if err := unix.Stat("/proc/self/ns/pid", &st); err != nil {
		return 0, sdk.Mark(fmt.Errorf("looking at the pid namespace: %w", err), sdk.ErrUnavailable)
	}
	return st.Ino, nil
}
