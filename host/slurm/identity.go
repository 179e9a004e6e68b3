package slurm

import (
	"errors"
	"fmt"
	"os"
	"syscall"

	"github.com/berth-hpc/berth/sdk"
)

// Become makes the process the user uid for good, before it looks at anything of his: no group, no
// capability and no way back remains. A process that is that user already stays as it is.
//
// sdk.ErrInvalid: uid is root's, or the caller is neither root nor uid.
func Become(uid, gid int) error {
	switch {
	case uid <= 0 || gid < 0:
		return sdk.Mark(fmt.Errorf("refusing to act for uid %d, gid %d", uid, gid), sdk.ErrInvalid)
	case os.Geteuid() == uid && os.Getuid() == uid:
		return nil
	case os.Geteuid() != 0:
		return sdk.Mark(fmt.Errorf("uid %d cannot act for uid %d", os.Geteuid(), uid), sdk.ErrInvalid)
	}
	// The order matters: groups can be given up only while still root. Package syscall applies each
	// call to all threads of the process.
	if err := syscall.Setgroups([]int{gid}); err != nil {
		return fmt.Errorf("giving up root's groups: %w", err)
	}
	if err := syscall.Setresgid(gid, gid, gid); err != nil {
		return fmt.Errorf("becoming gid %d: %w", gid, err)
	}
	if err := syscall.Setresuid(uid, uid, uid); err != nil {
		return fmt.Errorf("becoming uid %d: %w", uid, err)
	}
	if syscall.Setresuid(-1, 0, -1) == nil || os.Getuid() != uid || os.Geteuid() != uid {
		return errors.New("root's rights could not be given up")
	}
	return nil
}
