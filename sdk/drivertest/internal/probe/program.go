package probe

import (
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

// handProgram puts a file on descriptor at, which is passed on.
func handProgram(file string, at int) error {
	fd, err := unix.Open(file, unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err == nil {
		err = unix.Dup3(fd, at, 0)
	}
	return err
}

// takeProgram does what berth-init does as "--program" of "--take-over": the file on the descriptor holds
// the number of the command's arguments, they, and the environment, each ended by a NUL.
func takeProgram(fd int) ([]string, error) {
	file := os.NewFile(uintptr(fd), "program")
	defer file.Close()
	text, err := io.ReadAll(file)
	if err != nil {
		return nil, err
	}
	words := strings.Split(strings.TrimSuffix(string(text), "\x00"), "\x00")
	n, err := strconv.Atoi(words[0])
	if err != nil || n < 1 || n >= len(words) {
		return nil, fmt.Errorf("no command was handed over: %q", words[0])
	}
	return words[1 : 1+n], setEnvironment(words[1+n:])
}
