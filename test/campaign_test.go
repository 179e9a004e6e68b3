package test

import (
	"math/rand/v2"
	"os"
	"strconv"
	"testing"
	"time"
)

// atRandom tests what may happen at any moment, in rounds. It is for the long runs of "make campaign", which sets
// BERTH_TEST_CAMPAIGN; BERTH_TEST_ROUNDS says how many rounds there are, and BERTH_TEST_SEED repeats an earlier
// campaign. Every test that calls it has named moments, too, which it always tries.
func atRandom(t *testing.T, round func(t *testing.T, r *rand.Rand)) {
	t.Helper()
	if !campaign() {
		return
	}
	t.Run("at random", func(t *testing.T) {
		seed, rounds := setting(t, "BERTH_TEST_SEED", rand.Uint64()), setting(t, "BERTH_TEST_ROUNDS", 12)
		t.Logf("BERTH_TEST_SEED=%d BERTH_TEST_ROUNDS=%d", seed, rounds)
		r := rand.New(rand.NewPCG(seed, 0))
		for range rounds {
			if round(t, r); t.Failed() {
				return
			}
		}
	})
}

func campaign() bool { return os.Getenv("BERTH_TEST_CAMPAIGN") == "yes" }

// setting is a number from the environment.
func setting(t *testing.T, name string, otherwise uint64) uint64 {
	t.Helper()
	text := os.Getenv(name)
	if text == "" {
		return otherwise
	}
	n, err := strconv.ParseUint(text, 10, 64)
	if err != nil {
		t.Fatalf("%s: %v", name, err)
	}
	return n
}

// took is how long a call takes that nobody disturbs: random moments lie within it.
func (s *site) took(t *testing.T, args ...string) time.Duration {
	t.Helper()
	before := time.Now()
	s.ok(t, args...)
	return time.Since(before)
}

// sometime waits for a random moment of something that takes so long.
func sometime(r *rand.Rand, long time.Duration) {
	time.Sleep(time.Duration(r.Int64N(int64(long) + 1))) // the moment is what is random
}
