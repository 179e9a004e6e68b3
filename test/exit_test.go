package test

import (
	"fmt"
	"testing"
)

// The exit status is the program's, through host, driver, runtime and berth-init.
func TestExitStatus(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t, "exit $STATUS")
		for _, status := range []int{0, 1, 2, 42, 125, 126, 127, 255} {
			r := s.berth(t, "run", "--env", fmt.Sprintf("STATUS=%d", status), bundle)
			if r != (result{status: status}) {
				t.Errorf("exit %d: %+v", status, r)
			}
		}
	})
}

// F-53: what is no program ends as shells have it.
func TestCommandsThatCannotRun(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		bundle := s.bundle(t, "")
		for command, status := range map[string]int{
			"/bin/missing": 127, "missing": 127, "/bin/busybox/x": 127, "/bin/no-interpreter": 127,
			"/bin/not-executable": 126, "/bin/not-a-program": 126, "/bin/directory": 126, "/": 126,
		} {
			for _, option := range []string{"--init=false", "--init"} {
				r := s.berth(t, "run", option, bundle, "--", command, "argument")
				if r.status != status || r.stdout != "" || !oneLineAbout(r.stderr, command) {
					t.Errorf("%s, %s: want %d and one line, got %+v", command, option, status, r)
				}
			}
		}
	})
}
