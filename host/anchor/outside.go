package anchor

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"syscall"

	"github.com/berth-hpc/berth/host/handoff"
	"github.com/berth-hpc/berth/host/trust"
)

// IsMappedRoot says whether this process is root of a user namespace, as below rootless podman and docker:
// drivers that only run, and their programs, would take that for the node's root.
func IsMappedRoot() bool {
	uid, _ := trust.RootOutside()
	return os.Geteuid() == 0 && uid != 0
}

// Repeat makes this call again as the user outside, as an anchor of asUser is one, and returns its exit
// status once it has ended.
func Repeat(g *handoff.Guard) (status int, err error) {
	cmd := exec.Command("/proc/self/exe", os.Args[1:]...)
	cmd.Args[0] = os.Args[0]
	cmd.Stdin, cmd.Stdout, cmd.Stderr = os.Stdin, os.Stdout, os.Stderr
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	mapBack(cmd.SysProcAttr)
	if err := cmd.Start(); err != nil {
		return 0, fmt.Errorf("calling berth-oci as the user outside: %w", err)
	}
	g.Keep(cmd.Process.Pid)
	defer passSignal(g, cmd.Process)()
	err = cmd.Wait()
	if err != nil && !errors.As(err, new(*exec.ExitError)) {
		return 0, fmt.Errorf("calling berth-oci as the user outside: %w", err)
	}
	if ws := cmd.ProcessState.Sys().(syscall.WaitStatus); ws.Signaled() {
		return 128 + int(ws.Signal()), nil
	}
	return cmd.ProcessState.ExitCode(), nil
}
