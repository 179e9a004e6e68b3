// Payload is the program in the containers of the tests.
package main

import (
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"strconv"
	"strings"
	"syscall"
)

func main() {
	number := 0
	if len(os.Args) > 2 {
		number, _ = strconv.Atoi(os.Args[2])
	}
	switch os.Args[1] {
	case "exit":
		os.Exit(number)
	case "wait":
		wait()
	case "tree": // number processes, each the child of the one before
		if number > 1 {
			child := exec.Command("/proc/self/exe", "tree", strconv.Itoa(number-1))
			child.Stdout = os.Stdout
			if err := child.Start(); err != nil {
				fmt.Println(err)
				os.Exit(1)
			}
		}
		wait()
	case "environ":
		fmt.Printf("%q\n", os.Args[1:])
		fmt.Println(strings.Join(os.Environ(), "\n"))
		os.Exit(7)
	case "touch": // as a hook: outside the container
		if err := os.WriteFile(os.Args[2], nil, 0o600); err != nil {
			fmt.Println(err)
			os.Exit(1)
		}
	case "show":
		text, err := os.ReadFile(os.Args[2])
		fmt.Print(string(text), err, "\n", os.WriteFile(os.Args[2], nil, 0o600))
	case "read": // the descriptor with the number
		text, err := io.ReadAll(os.NewFile(uintptr(number), "inherited"))
		fmt.Print(string(text), err)
	}
}

// wait says that it is there, and then which signals it gets, for ever.
func wait() {
	caught := make(chan os.Signal, 16)
	signal.Notify(caught, syscall.SIGUSR1)
	fmt.Println("ready")
	for range caught {
		fmt.Println("USR1")
	}
}
