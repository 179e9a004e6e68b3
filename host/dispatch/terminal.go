package dispatch

import (
	"errors"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk"
)

// IsTerminal says whether a descriptor is a terminal.
func IsTerminal(fd int) bool {
	_, err := unix.IoctlGetTermios(fd, unix.TCGETS)
	return err == nil
}

// errNoTerminal is said before the exec: both runtimes would end with status 1 and a remark about
// an ioctl.
func errNoTerminal() error {
	err := errors.New("the container is to have a terminal (process.terminal, --tty), but stdin is none")
	return sdk.WithAdvice(sdk.Mark(err, sdk.ErrInvalid), "--tty=false runs it without one")
}
