package test

import (
	"strings"
	"testing"
)

// Our own drivers pass the kit by which anybody's are proved, as "berth driver test" runs it.
func TestConformance(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		r := s.berth(t, "driver", "test", s.driver)
		if r.status != 0 || !strings.Contains(r.stdout, ", 0 failed, ") || !strings.Contains(r.stdout, ", 0 skipped\n") {
			t.Errorf("status %d, stderr %q:\n%s", r.status, r.stderr, r.stdout)
		}
	})
}
