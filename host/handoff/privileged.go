package handoff

import (
	"errors"
	"fmt"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// atSecure is the entry of the auxiliary vector by which the kernel says that a program has more
// rights than its caller (getauxval(3), AT_SECURE).
const atSecure = 23

// NotPrivileged refuses to run with more rights than the caller has: berth is no setuid program.
func NotPrivileged() error {
	entries, err := unix.Auxv()
	if err != nil {
		return fmt.Errorf("reading the auxiliary vector: %w", err)
	}
	for _, e := range entries {
		if e[0] == atSecure && e[1] != 0 {
			err := errors.New("refusing to run with the setuid or setgid bit or file capabilities")
			return sdk.WithAdvice(err, "chmod u-s,g-s and setcap -r the berth program")
		}
	}
	return nil
}
