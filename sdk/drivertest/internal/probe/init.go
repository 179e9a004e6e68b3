package probe

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const defaultPath = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

// initMain does what berth-init does in its plain form, "[FILE] [--take-over N [--program] [--terminal]] [--umask MASK]
// [--cwd DIR] [--unset NAME] [--set NAME=VALUE] [--link TARGET PLACE] [--no-new-privileges] -- CMD
// [ARG…]", and as "--hand-over N [--program FILE] [--console SOCKET] -- CMD [ARG…]": it takes its environment from FILE,
// finds the command through PATH, becomes it, or ends with 127 where there is none and 126 where it
// cannot be executed.
func initMain(args []string) int {
	at := slices.Index(args, "--")
	if at < 0 {
		at = len(args)
	}
	first := 0
	if strings.HasPrefix(args[0], "/") {
		if err := takeEnvironment(args[0]); err != nil {
			return fail(125, "as berth-init: %v", err)
		}
		first = 1
	}
	runtime.LockOSThread() // the one that becomes the command
	command, err := settle(args[first:at])
	if err != nil {
		return fail(125, "as berth-init: %v", err)
	}
	if command == nil && at < len(args) {
		command = args[at+1:]
	}
	if len(command) == 0 {
		return fail(125, "as berth-init: no command")
	}
	err = becomeFirst(candidates(command[0]), command)
	status := 126
	if errors.Is(err, syscall.ENOENT) || errors.Is(err, syscall.ENOTDIR) {
		status = 127
	}
	fmt.Fprintf(os.Stderr, "berth-init: %q: %v\n", command[0], err)
	return status
}

// settle does what the options say, and returns the command that was handed over, if one was.
func settle(options []string) (command []string, err error) {
	hand, taken, console, program := 0, 0, "", ""
	for i := 0; i < len(options) && err == nil; i++ {
		option, value := options[i], ""
		switch option {
		case "--terminal":
			err = controlTerminal()
			continue
		case "--program":
			if hand == 0 {
				command, err = takeProgram(taken + 3)
				continue
			}
		case "--no-new-privileges":
			err = unix.Prctl(unix.PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0)
			continue
		}
		if i++; i < len(options) {
			value = options[i]
		}
		switch option {
		case "--take-over":
			taken = number(value)
			err = takeOver(taken)
		case "--hand-over":
			hand = number(value)
		case "--program":
			program = value
		case "--console":
			console = value
		case "--umask":
			mask, parseErr := strconv.ParseUint(value, 8, 12)
			unix.Umask(int(mask))
			err = parseErr
		case "--unset":
			os.Unsetenv(value)
		case "--cwd":
			_ = os.Chdir(value) // it may be missing
		case "--link":
			if i++; i < len(options) {
				err = os.Symlink(value, options[i])
			}
		case "--set":
			name, value, _ := strings.Cut(value, "=")
			os.Setenv(name, value)
		}
	}
	if err == nil && hand > 0 {
		err = handOver(hand, console, program)
	}
	return command, err
}

// takeEnvironment replaces the environment by the entries of a file, which each end with a NUL.
func takeEnvironment(file string) error {
	text, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return setEnvironment(strings.Split(string(text), "\x00"))
}

func setEnvironment(entries []string) error {
	os.Clearenv()
	for _, entry := range entries {
		if name, value, ok := strings.Cut(entry, "="); ok {
			if err := os.Setenv(name, value); err != nil {
				return err
			}
		}
	}
	return nil
}

func candidates(name string) []string {
	if strings.Contains(name, "/") {
		return []string{name}
	}
	path, ok := os.LookupEnv("PATH")
	if !ok {
		path = defaultPath
	}
	var files []string
	for _, dir := range filepath.SplitList(path) {
		files = append(files, filepath.Join(dir, name))
	}
	return files
}

func becomeFirst(files, argv []string) error {
	var found error = syscall.ENOENT
	for _, file := range files {
		err := syscall.Exec(file, argv, os.Environ())
		if !errors.Is(err, syscall.ENOENT) && !errors.Is(err, syscall.ENOTDIR) {
			found = err
		}
	}
	return found
}

// Removed is what the name of a directory ends in once it was to be removed.
const Removed = ".removed"

// remove takes note of what berth-init would do as a poststop hook, "--rm DIR". A hook gets the
// container's state on stdin.
func remove(dir string) int {
	_, err := io.Copy(io.Discard, os.Stdin)
	if err == nil {
		err = os.WriteFile(dir+Removed, nil, 0o600)
	}
	if err != nil {
		return fail(1, "as the host's hook: %v", err)
	}
	return 0
}
