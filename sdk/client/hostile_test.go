package client

import (
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"

	"github.com/berth-hpc/berth/sdk/plugin"
)

// hostileMode is the variable that makes the test's own program a driver that does whatever a driver
// should not.
const hostileMode = "HOSTILE"

func beHostile(how string) {
	mode, rest, _ := strings.Cut(how, ":")
	switch mode {
	case "say": // write something as the handshake, then wait
		fmt.Print(strings.ReplaceAll(rest, "DIR", os.Getenv("PLUGIN_UNIX_SOCKET_DIR")))
		hang()
	case "say-and-exit":
		fmt.Print(rest)
		os.Exit(3)
	case "long-line":
		fmt.Println(strings.Repeat("x", 1<<20))
		hang()
	case "close":
		os.Stdout.Close()
		hang()
	case "start":
		misbehave(rest)
	case "gate": // be late
		pass()
	case "raw":
		serveRaw(rest)
	case "leak":
		child(rest)
	case "flood":
		flood()
	}
	plugin.Serve(&driver{mode: mode, rest: rest})
}

// misbehave ends or stops the process.
func misbehave(how string) {
	switch how {
	case "exit":
		os.Exit(3)
	case "exit0":
		os.Exit(0)
	case "panic":
		panic("no more, no less")
	case "segv":
		var p *int
		*p = 1
	case "kill":
		_ = unix.Kill(os.Getpid(), unix.SIGKILL)
	case "stop":
		_ = unix.Kill(os.Getpid(), unix.SIGSTOP)
	case "gate": // hang until the gate is opened, and end
		pass()
		os.Exit(3)
	case "deaf": // hang, and ignore what asks for the end
		signal.Ignore(syscall.SIGTERM, syscall.SIGINT, syscall.SIGHUP)
	}
	hang()
}

func hang() {
	for {
		time.Sleep(time.Hour)
	}
}

// child starts a process that outlives this one and holds its stderr: in its group, or in a session
// of its own.
func child(where string) {
	cmd := exec.Command(os.Args[0])
	cmd.Env = []string{hostileMode + "=start:deaf"}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{Setsid: where == "session"}
	if err := cmd.Start(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(4)
	}
	pidFile := os.Getenv("HOSTILE_PID")
	if err := os.WriteFile(pidFile, []byte(fmt.Sprint(cmd.Process.Pid)), 0o600); err != nil {
		os.Exit(5)
	}
}

func flood() {
	for i := range 200_000 {
		fmt.Fprintf(os.Stderr, "\x1b[31mline %d of much too many\x1b[0m\n", i)
	}
}

func noise() {
	for {
		fmt.Println("noise", strings.Repeat("n", 1000))
	}
}
