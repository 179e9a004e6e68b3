package state

import (
	"io"
	"os"
	"os/exec"
	"syscall"
	"testing"
)

// childJob names, in the environment of a further copy of the test binary, what that copy is to do.
const childJob = "BERTH_TEST_CHILD"

// jobs are the programs that the tests need as processes of their own.
var jobs = map[string]func(){
	"become":          become,
	"block":           func() { io.Copy(io.Discard, os.Stdin) },
	"meet squatters":  meetSquatters,
	"churn":           churn,
	"creators":        createAndReport,
	"reuse":           reusePids,
	"other namespace": lookFromOtherNamespace,
	"full":            fullDisk,
	"mounted":         removeAroundMounts,
}

func TestMain(m *testing.M) {
	if job, ok := jobs[os.Getenv(childJob)]; ok {
		job()
		return
	}
	os.Exit(m.Run())
}

// child prepares a copy of the test binary.
func child(t testing.TB, job string, env ...string) *exec.Cmd {
	t.Helper()
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = append(append(os.Environ(), childJob+"="+job), env...)
	cmd.SysProcAttr = &syscall.SysProcAttr{}
	return cmd
}

// blocked starts a process that runs until it is killed or the test ends.
func blocked(t testing.TB) *exec.Cmd {
	t.Helper()
	cmd := child(t, "block")
	stdin, err := cmd.StdinPipe()
	must(t, err)
	must(t, cmd.Start())
	t.Cleanup(func() {
		stdin.Close()
		cmd.Wait()
	})
	return cmd
}

// run runs a job that reports what is wrong as its output and an exit status.
func run(t *testing.T, cmd *exec.Cmd) {
	t.Helper()
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
}

// check ends a job with what went wrong.
func check(err error) {
	if err != nil {
		os.Stderr.WriteString(err.Error() + "\n")
		os.Exit(1)
	}
}
