package config

import (
	"fmt"
	"path"
	"path/filepath"
	"slices"
	"strings"
)

// check says what is wrong with a string, or returns nil.
type check func(string) error

func absolutePath(s string) error {
	if !filepath.IsAbs(s) || filepath.Clean(s) != s || strings.Contains(s, "\x00") {
		return fmt.Errorf("expected an absolute path without \".\", \"..\" and doubled slashes, got %q", s)
	}
	return nil
}

func accountingTarget(s string) error {
	if s == "syslog" {
		return nil
	}
	if absolutePath(s) != nil {
		return fmt.Errorf("expected \"syslog\" or an absolute path, got %q", s)
	}
	return nil
}

func checksum(s string) error {
	if len(s) != 64 || strings.Trim(s, "0123456789abcdef") != "" {
		return fmt.Errorf("expected 64 hexadecimal digits in lower case, as sha256sum prints them, got %q", s)
	}
	return nil
}

func logLevel(s string) error {
	levels := []string{"error", "warn", "info", "debug"}
	if !slices.Contains(levels, s) {
		return fmt.Errorf("expected %s, got %q", either(levels), s)
	}
	return nil
}

func pattern(s string) error {
	if s == "" {
		return fmt.Errorf("an empty pattern matches nothing")
	}
	if _, err := path.Match(s, ""); err != nil {
		return fmt.Errorf("malformed pattern %q: a \"[\" is not closed, or nothing follows a \"\\\"", s)
	}
	return nil
}

func anything(string) error { return nil }

// either writes a choice: "a", "b" or "c".
func either(choice []string) string {
	var b strings.Builder
	for i, s := range choice {
		switch {
		case i > 0 && i == len(choice)-1:
			b.WriteString(" or ")
		case i > 0:
			b.WriteString(", ")
		}
		fmt.Fprintf(&b, "%q", s)
	}
	return b.String()
}
