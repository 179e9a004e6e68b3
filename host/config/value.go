package config

import (
	"time"

	toml "github.com/pelletier/go-toml/v2"
)

// value is what a key is stored in. It reports what is wrong with what the file says, and stores
// only what is right.
type value interface {
	decode(d *decoder, name string, v any, at *node)
}

// scalar is a value that is written on one line.
type scalar interface {
	value
	literal() string // as TOML
	unset() bool     // nothing is there to be written
}

type text struct {
	to    *string
	check check
}

func (t text) decode(d *decoder, name string, v any, at *node) {
	s, ok := v.(string)
	if !ok {
		d.add(at, "%s: expected a string, got %s", name, kind(v))
		return
	}
	if err := t.check(s); err != nil {
		d.add(at, "%s: %w", name, err)
		return
	}
	*t.to = s
}

type list struct {
	to    *[]string
	check check
	empty bool // whether a list without elements makes sense
}

func (l list) decode(d *decoder, name string, v any, at *node) {
	elements, ok := v.([]any)
	if !ok {
		d.add(at, "%s: expected an array of strings, got %s", name, kind(v))
		return
	}
	if len(elements) == 0 && !l.empty {
		d.add(at, "%s: an empty array matches nothing; leave the key out", name)
		return
	}
	to := make([]string, 0, len(elements))
	for i, element := range elements {
		s, ok := element.(string)
		if !ok {
			d.add(at.item(i), "%s: expected a string, got %s", name, kind(element))
			continue
		}
		if err := l.check(s); err != nil {
			d.add(at.item(i), "%s: %w", name, err)
			continue
		}
		to = append(to, s)
	}
	*l.to = to
}

const maxDuration = 24 * time.Hour

type duration struct{ to *time.Duration }

func (t duration) decode(d *decoder, name string, v any, at *node) {
	s, ok := v.(string)
	if !ok {
		d.add(at, "%s: expected a duration in quotes, such as \"5s\", got %s", name, kind(v))
		return
	}
	parsed, err := time.ParseDuration(s)
	switch {
	case err != nil:
		d.add(at, "%s: expected a duration such as \"5s\", \"200ms\" or \"1m30s\", got %q", name, s)
	case parsed <= 0 || parsed > maxDuration:
		d.add(at, "%s: expected a duration above 0 and up to 24h, got %q", name, s)
	default:
		*t.to = parsed
	}
}

type toggle struct{ to *bool }

func (t toggle) decode(d *decoder, name string, v any, at *node) {
	b, ok := v.(bool)
	if !ok {
		d.add(at, "%s: expected true or false, got %s", name, kind(v))
		return
	}
	*t.to = b
}

// kind names the type of a decoded value.
func kind(v any) string {
	switch v.(type) {
	case string:
		return "a string"
	case int64:
		return "an integer"
	case float64:
		return "a float"
	case bool:
		return "a boolean"
	case []any:
		return "an array"
	case map[string]any:
		return "a table"
	case time.Time, toml.LocalDateTime, toml.LocalDate, toml.LocalTime:
		return "a date or time"
	default:
		return "something else"
	}
}
