package test

import (
	"sync"
	"testing"
)

// F-64: two hosts act on one container at the same time. Each succeeds or says why not.
func TestTwoHostsOnOneContainer(t *testing.T) {
	eachDriver(t, func(t *testing.T, s *site) {
		both := func(a, b []string) [2]result {
			var r [2]result
			var wg sync.WaitGroup
			for i, args := range [][]string{a, b} {
				wg.Go(func() { r[i] = s.berth(t, args...) })
			}
			wg.Wait()
			return r
		}
		settled := func(what string, r [2]result) (wins int) {
			for _, one := range r {
				if one.status == 0 {
					wins++
				} else {
					refused(t, one)
				}
			}
			if t.Failed() {
				t.Logf("%s: %+v", what, r)
			}
			return wins
		}
		for range 6 {
			id := s.id()
			s.create(t, id, "sleep 100000")
			settled("kill and delete", both([]string{"kill", id, "KILL"}, []string{"delete", "--force", id}))
			settled("delete and delete", both([]string{"delete", "--force", id}, []string{"delete", "--force", id}))
			s.create(t, id, "exit 0")
			s.ok(t, "start", id)
			s.await(t, id, "stopped")
			settled("delete and delete of a stopped one", both([]string{"delete", id}, []string{"delete", id}))
			bundle := s.bundle(t, "exit 0")
			if wins := settled("run and run", both([]string{"run", "--id", id, bundle}, []string{"run", "--id", id, bundle})); wins == 0 {
				t.Errorf("none of two runs of one ID succeeded")
			}
			s.ok(t, "delete", "--force", id)
			if left := s.stillThere(t); left != "" {
				t.Fatalf("left: %s", left)
			}
		}
	})
}
