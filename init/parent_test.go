package init_test

import (
	"bufio"
	"bytes"
	"fmt"
	"os"
	"os/exec"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
)

// A command whose files its parent serves ends with that, with and without --init.
func TestWithParent(t *testing.T) {
	p := need(t)
	for name, form := range forms {
		script := `"$@" & echo $!; wait`
		args := append([]string{"-c", script, "sh", p.init, "--end-with-parent"}, append(form, "--", "sleep", "600.25")...)
		cmd := exec.Command("/bin/sh", args...)
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		line, err := bufio.NewReader(out).ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		pid := strings.TrimSpace(line)
		until(t, name+": berth-init has its command", func() bool {
			text, _ := os.ReadFile("/proc/" + pid + "/cmdline")
			children, _ := os.ReadFile(fmt.Sprintf("/proc/%s/task/%s/children", pid, pid))
			return bytes.HasPrefix(text, []byte("sleep\x00")) || len(children) > 0
		})
		_ = cmd.Process.Kill()
		_ = cmd.Wait()
		until(t, name+": it ends with its parent", func() bool {
			stat, err := os.ReadFile("/proc/" + pid + "/stat")
			return err != nil || bytes.Contains(stat, []byte(") Z "))
		})
	}
}

func until(t *testing.T, what string, holds func() bool) {
	t.Helper()
	await.True(t, func() string { return what }, holds)
}
