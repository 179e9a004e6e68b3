package nearest

import (
	"strings"
	"testing"
)

func TestTo(t *testing.T) {
	keys := []string{"default_driver", "drivers", "rules", "policy", "log", "init"}
	runtimes := []string{"crun", "runc", "nvidia", "charliecloud"}
	for _, c := range []struct {
		name       string
		candidates []string
		want       string
	}{
		{"defualt_driver", keys, "default_driver"}, // swapped
		{"driver", keys, "drivers"},                // left out
		{"ruless", keys, "rules"},                  // inserted
		{"polici", keys, "policy"},                 // replaced
		{"Default-Driver", keys, "default_driver"}, // case is free
		{"curn", runtimes, "crun"},
		{"nvidai", runtimes, "nvidia"},
		{"chralieclod", runtimes, "charliecloud"},
		{"crun", runtimes, "crun"},
		{"qs", []string{"user", "qos"}, "qos"},
		{"colour", keys, ""},
		{"x", keys, ""},
		{"", keys, ""},
		{"", []string{""}, ""},
		{"abcd", []string{"abcx", "abcy"}, "abcx"}, // the first of equals
		{"abcd", []string{"abxx", "abcy"}, "abcy"},
		{"größe", []string{"große"}, "große"}, // letters, not bytes
		{strings.Repeat("a", 1<<20), []string{strings.Repeat("a", 1<<20)}, ""},
		{"crun", nil, ""},
	} {
		if got := To(c.name, c.candidates); got != c.want {
			t.Errorf("To(%.40q, %.80q) = %q, want %q", c.name, c.candidates, got, c.want)
		}
	}
}

func TestDistance(t *testing.T) {
	for _, c := range []struct {
		a, b string
		want int
	}{
		{"", "", 0}, {"", "abc", 3}, {"abc", "", 3}, {"ab", "ba", 1}, {"abc", "abd", 1},
		{"kitten", "sitting", 3}, {"ca", "abc", 3}, {"abcdef", "badcfe", 3},
	} {
		if got := distance([]rune(c.a), []rune(c.b)); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.a, c.b, got, c.want)
		}
		if got := distance([]rune(c.b), []rune(c.a)); got != c.want {
			t.Errorf("distance(%q, %q) = %d, want %d", c.b, c.a, got, c.want)
		}
	}
}
