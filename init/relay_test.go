package init_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

// nodesUserns is the user namespace that a node boots with (the kernel's PROC_USER_INIT_INO).
const nodesUserns = "user:[4026531837]"

// Slurm's root has no id in the container. It signals the command itself, and what the runtime sends soon after
// is a copy; at any other time it is all there is. What is soon is set when berth-init is built: here, for ever or
// never, so that no clock decides.
func TestCopiesAreNotPassedOn(t *testing.T) {
	const sent, copied = syscall.SIGUSR1, syscall.SIGUSR2
	t.Run("soon after", func(t *testing.T) {
		c, byRuntime := besideSlurm(t, "-DCOPY_TAKES=1000000")
		byRuntime(sent)
		c.expect(t, sent)
		c.signal(t, copied)
		c.takesAll(t)
		byRuntime(copied)
		c.takesAll(t)
		byRuntime(syscall.SIGTERM)
		c.expect(t, syscall.SIGTERM)
	})
	t.Run("later", func(t *testing.T) {
		c, byRuntime := besideSlurm(t, "-DCOPY_TAKES=-1")
		c.signal(t, copied)
		c.takesAll(t)
		byRuntime(copied)
		c.expect(t, copied)
	})
}

// besideSlurm starts a command below a berth-init that is built with that option. byRuntime sends it a signal as
// the job's runtime does.
func besideSlurm(t *testing.T, option string) (c *command, byRuntime func(syscall.Signal)) {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Skip("only root can be a sender without an id in the user namespace")
	}
	const uid = 54321
	p := need(t)
	init := filepath.Join(openDir(t), "berth-init")
	sources, _ := filepath.Glob("*.c")
	if err := compile(init, append([]string{option, "-O0"}, sources...)...); err != nil {
		t.Fatal(err)
	}
	cmd := call{args: []string{"--init", "--signals=direct", "--", p.probe, "signals"}, exe: init}.command(t)
	places["process 1"](cmd.SysProcAttr)
	cmd.SysProcAttr.UidMappings[0].HostID, cmd.SysProcAttr.GidMappings[0].HostID = uid, uid
	cmd.SysProcAttr.Credential = &syscall.Credential{}
	needNamespaces(t, *cmd.SysProcAttr)
	return start(t, cmd), func(sig syscall.Signal) {
		t.Helper()
		kill := exec.Command("/bin/kill", "-"+strconv.Itoa(int(sig)), strconv.Itoa(cmd.Process.Pid))
		kill.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: uid, Gid: uid}}
		if out, err := kill.CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
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
