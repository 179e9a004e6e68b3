package init_test

import (
	"os"
	"os/exec"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// nodesUserns is the user namespace that a node boots with (the kernel's PROC_USER_INIT_INO).
const nodesUserns = "user:[4026531837]"

// Slurm's root has no id in the container. It signals the command itself, and what the runtime sends soon after
// is a copy; at any other time it is all there is.
func TestCopiesAreNotPassedOn(t *testing.T) {
	if os.Geteuid() != 0 {
		t.Skip("only root can be a sender without an id in the user namespace")
	}
	const uid = 54321
	p := need(t)
	cmd := call{args: []string{"--init", "--signals=direct", "--", p.probe, "signals"}}.command(t)
	places["process 1"](cmd.SysProcAttr)
	cmd.SysProcAttr.UidMappings[0].HostID, cmd.SysProcAttr.GidMappings[0].HostID = uid, uid
	cmd.SysProcAttr.Credential = &syscall.Credential{}
	needNamespaces(t, *cmd.SysProcAttr)
	c := start(t, cmd)
	byRuntime := func(sig syscall.Signal) {
		t.Helper()
		kill := exec.Command("/bin/kill", "-"+strconv.Itoa(int(sig)), strconv.Itoa(cmd.Process.Pid))
		kill.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		if out, err := kill.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	byRuntime(syscall.SIGUSR1)
	c.expect(t, syscall.SIGUSR1)
	c.signal(t, syscall.SIGUSR2)
	c.takesAll(t)
	byRuntime(syscall.SIGUSR2)
	c.takesAll(t)
	byRuntime(syscall.SIGTERM)
	c.expect(t, syscall.SIGTERM)
	for end := time.Now().Add(deadline); ; {
		byRuntime(syscall.SIGUSR2)
		select {
		case got := <-c.lines:
			if got != "12" {
				t.Errorf("the command got signal %s, want 12", got)
			}
			return
		case <-time.After(100 * time.Millisecond):
			if time.Now().After(end) {
				t.Fatal("USR2 is never passed on again")
			}
		}
	}
}

func TestEndsWithItsParent(t *testing.T) {
	p := need(t)
	args := []string{"-c", `"$@" & wait`, "sh", p.init, "--init", "--end-with-parent", "--", p.probe, "signals"}
	c := start(t, call{args: args, exe: "/bin/sh"}.command(t))
	t.Cleanup(func() { syscall.Kill(c.pid, syscall.SIGKILL) })
	c.signal(t, syscall.SIGKILL)
	eventually(t, "does the command die", func() bool { return dead(c.pid) })
}
