package capture

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"strings"
	"testing"
	"time"
)

const role = "BERTH_TEST_CAPTURE"

func TestMain(m *testing.M) {
	switch os.Getenv(role) {
	case "both":
		_, _ = os.Stdout.WriteString("out")
		_, _ = os.Stderr.WriteString("err")
	case "much":
		for range 64 {
			if _, err := os.Stdout.WriteString(strings.Repeat("x", 1<<16)); err != nil {
				os.Exit(3)
			}
		}
	case "linger":
		time.Sleep(time.Hour) // until the test kills it
	default:
		os.Exit(m.Run())
	}
}

func command(as string) *exec.Cmd {
	cmd := exec.Command("/proc/self/exe")
	cmd.Env = []string{role + "=" + as}
	return cmd
}

func TestBothStreams(t *testing.T) {
	t.Parallel()
	o, err := Run(command("both"))
	if err != nil || string(o.Stdout) != "out" || string(o.Stderr) != "err" || o.TooMuch {
		t.Errorf("%q, %q, too much %v, %v", o.Stdout, o.Stderr, o.TooMuch, err)
	}
}

func TestMuchIsCut(t *testing.T) {
	t.Parallel()
	o, err := Run(command("much"))
	if len(o.Stdout) != Limit || !o.TooMuch || strings.Trim(string(o.Stdout), "x") != "" || err == nil {
		t.Errorf("%d bytes, too much %v, %v", len(o.Stdout), o.TooMuch, err)
	}
}

// Somebody who holds the streams longer than the command lives holds nobody up: it is still there when the
// output has been read.
func TestStreamsThatAreHeld(t *testing.T) {
	t.Parallel()
	cmd := command("both")
	if err := Start(cmd); err != nil {
		t.Fatal(err)
	}
	holder := command("linger")
	holder.Stdout, holder.Stderr = cmd.Stdout, cmd.Stderr
	if err := holder.Start(); err != nil {
		t.Fatal(err)
	}
	if o, err := Wait(cmd); err != nil || string(o.Stdout) != "out" {
		t.Errorf("%q, %v", o.Stdout, err)
	}
	if err := holder.Process.Kill(); err != nil {
		t.Errorf("the one that held them: %v", err)
	}
	_ = holder.Wait()
}

func TestNothingToStart(t *testing.T) {
	t.Parallel()
	if _, err := Run(exec.Command("/no/such")); !errors.Is(err, fs.ErrNotExist) {
		t.Error(err)
	}
}
