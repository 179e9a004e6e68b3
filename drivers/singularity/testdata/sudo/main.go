// Sudo stands in for sudo(8) where it is not installed: "sudo -n -H [-C N] -- CMD [ARG…]" with the file's
// set-user-ID bit runs CMD as root, without the caller's environment and without the descriptors from N on.
package main

import (
	"fmt"
	"os"
	"strconv"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	err := run(os.Args[1:])
	fmt.Fprintf(os.Stderr, "sudo: %v\n", err)
	os.Exit(1)
}

func run(args []string) error {
	keep := 3
	for len(args) > 1 && args[0] != "--" {
		if args[0] == "-C" {
			keep, _ = strconv.Atoi(args[1])
			args = args[1:]
		}
		args = args[1:]
	}
	if len(args) < 2 || keep < 3 {
		return fmt.Errorf("usage: sudo -n -H [-C N] -- CMD [ARG…]")
	}
	if err := syscall.Setgroups([]int{0}); err != nil {
		return fmt.Errorf("a password is required: %w", err)
	}
	if err := syscall.Setgid(0); err != nil {
		return err
	}
	if err := syscall.Setuid(0); err != nil {
		return err
	}
	if err := unix.CloseRange(uint(keep), ^uint(0)>>1, unix.CLOSE_RANGE_CLOEXEC); err != nil {
		return err
	}
	env := []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin", "HOME=/root"}
	return syscall.Exec(args[1], args[1:], env)
}
