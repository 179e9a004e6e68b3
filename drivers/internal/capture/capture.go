// Package capture runs short commands and keeps what they write. It needs no pipe, and so no time for
// somebody to read it out: the output of a command that has ended is all there, however busy the node is, and a
// child that goes on writing holds nobody up.
package capture

import (
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"

	"golang.org/x/sys/unix"
)

// Limit is how many bytes of each stream are kept.
const Limit = 1 << 20

// beyond is room behind them, which shows that there was more. What comes after it the command cannot
// write: it gets EPERM. It is larger than any page, by which the kernel counts.
const beyond = 128 << 10

// Output is what a command has written.
type Output struct {
	Stdout, Stderr []byte
	TooMuch        bool // one of them is only the beginning
}

// Run runs a command and returns what it wrote, whatever became of it.
func Run(cmd *exec.Cmd) (Output, error) {
	if err := Start(cmd); err != nil {
		return Output{}, err
	}
	return Wait(cmd)
}

// Start starts a command that Wait ends. cmd's Stdout and Stderr are taken.
func Start(cmd *exec.Cmd) error {
	stdout, err := memory("stdout")
	if err != nil {
		return err
	}
	stderr, err := memory("stderr")
	if err != nil {
		return errors.Join(err, stdout.Close())
	}
	cmd.Stdout, cmd.Stderr = stdout, stderr
	if err := cmd.Start(); err != nil {
		stdout.Close()
		stderr.Close()
		return err
	}
	return nil
}

// Wait waits until the command itself has ended, and returns what was written until then.
func Wait(cmd *exec.Cmd) (o Output, err error) {
	err = cmd.Wait()
	var more, moreErrors bool
	o.Stdout, more = read(cmd.Stdout)
	o.Stderr, moreErrors = read(cmd.Stderr)
	o.TooMuch = more || moreErrors
	return o, err
}

// memory makes a file that has no name and cannot grow (memfd_create(2)).
func memory(name string) (*os.File, error) {
	fd, err := unix.MemfdCreate(name, unix.MFD_CLOEXEC|unix.MFD_ALLOW_SEALING)
	if err == nil {
		f := os.NewFile(uintptr(fd), name)
		if err = f.Truncate(Limit + beyond); err == nil {
			_, err = unix.FcntlInt(f.Fd(), unix.F_ADD_SEALS, unix.F_SEAL_GROW|unix.F_SEAL_SHRINK)
		}
		if err == nil {
			return f, nil
		}
		f.Close()
	}
	return nil, fmt.Errorf("making room for a command's %s: %w", name, err)
}

// read returns what was written, and whether there was more, and closes the file. It goes by the offset,
// which this process shares with all who write.
func read(stream io.Writer) (text []byte, more bool) {
	f := stream.(*os.File)
	defer f.Close()
	written, err := f.Seek(0, io.SeekCurrent)
	if err != nil {
		return nil, false
	}
	text = make([]byte, min(written, Limit))
	n, _ := f.ReadAt(text, 0)
	return text[:n], written > Limit
}
