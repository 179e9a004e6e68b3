package config

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

func (t text) literal() string     { return quote(*t.to) }
func (l list) literal() string     { return array(*l.to, quote) }
func (t duration) literal() string { return quote(short(*t.to)) }
func (t toggle) literal() string   { return strconv.FormatBool(*t.to) }

func (t text) unset() bool     { return *t.to == "" }
func (l list) unset() bool     { return *l.to == nil }
func (t duration) unset() bool { return false }
func (t toggle) unset() bool   { return false }

// short leaves out the zero seconds and minutes at the end of a duration: "30m" for "30m0s".
func short(d time.Duration) string {
	s := d.String()
	if strings.HasSuffix(s, "m0s") {
		s = strings.TrimSuffix(s, "0s")
	}
	if strings.HasSuffix(s, "h0m") {
		s = strings.TrimSuffix(s, "0m")
	}
	return s
}

// literal writes a driver's setting, decoded from its JSON, on one line. The digits of its numbers
// are TOML as they stand.
func literal(v any) string {
	switch v := v.(type) {
	case string:
		return quote(v)
	case []any:
		return array(v, literal)
	case map[string]any:
		var pairs []string
		for _, k := range slices.Sorted(maps.Keys(v)) {
			pairs = append(pairs, bare(k)+" = "+literal(v[k]))
		}
		return "{" + strings.Join(pairs, ", ") + "}"
	default:
		return fmt.Sprint(v)
	}
}

func array[T any](elements []T, write func(T) string) string {
	written := make([]string, len(elements))
	for i, element := range elements {
		written[i] = write(element)
	}
	return "[" + strings.Join(written, ", ") + "]"
}

// bare writes a key: without quotes where TOML allows it.
func bare(k string) string {
	for _, r := range k {
		if !isBare(r) {
			return quote(k)
		}
	}
	if k == "" {
		return quote(k)
	}
	return k
}

func isBare(r rune) bool {
	return r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z' || r >= '0' && r <= '9' || r == '_' || r == '-'
}

// quote writes a basic string of TOML, which has fewer escapes than Go's strings.
func quote(s string) string {
	var b strings.Builder
	b.WriteByte('"')
	for _, r := range s {
		switch {
		case r == '"' || r == '\\':
			b.WriteByte('\\')
			b.WriteRune(r)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\t':
			b.WriteString(`\t`)
		case r < ' ' || r >= 0x7f && r < 0xa0:
			fmt.Fprintf(&b, `\u%04X`, r)
		default:
			b.WriteRune(r)
		}
	}
	b.WriteByte('"')
	return b.String()
}
