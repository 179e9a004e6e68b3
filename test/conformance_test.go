package test

import (
	"os"
	"strings"
	"testing"
)

// Our own drivers pass the kit by which anybody's are proved, as "berth driver test" runs it.
func TestConformance(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		r := s.berth(t, append([]string{"driver", "test", s.driver}, storm()...)...)
		if r.status != 0 || !strings.Contains(r.stdout, ", 0 failed, ") || !strings.Contains(r.stdout, ", 0 skipped\n") || strings.Contains(r.stdout, "isolates less") {
			t.Errorf("status %d, stderr %q:\n%s", r.status, r.stderr, r.stdout)
		}
	})
}

// storm has the kit start as many containers at once in make campaign as a large node does, and else as many
// as suits this machine.
func storm() []string {
	if os.Getenv("BERTH_TEST_CAMPAIGN") == "yes" {
		return []string{"--starts", "128"}
	}
	return nil
}
