package wire

import (
	"strings"
	"testing"
	"unicode"

	"github.com/berth-hpc/berth/sdk"
)

func TestLiesInCommand(t *testing.T) {
	good := sdk.Command{Path: "/bin/true", Args: []string{"true"}, Env: []string{"A=", "B=c=d"}}
	if err := verifyCommand(&good); err != nil {
		t.Errorf("a good one: %v", err)
	}
	tests := []struct {
		name string
		lie  func(*sdk.Command)
		says string
	}{
		{"no path", func(c *sdk.Command) { c.Path = "" }, "not absolute"},
		{"relative path", func(c *sdk.Command) { c.Path = "sh" }, "not absolute"},
		{"NUL in path", func(c *sdk.Command) { c.Path = "/a\x00b" }, "NUL"},
		{"no argv", func(c *sdk.Command) { c.Args = nil }, "argv is empty"},
		{"NUL in argument", func(c *sdk.Command) { c.Args = []string{"a", "b\x00"} }, "argument 1"},
		{"NUL in environment", func(c *sdk.Command) { c.Env = []string{"A=\x00"} }, "entry 0"},
		{"no =", func(c *sdk.Command) { c.Env = []string{"A=b", "C"} }, "entry 1"},
		{"no name", func(c *sdk.Command) { c.Env = []string{"=b"} }, "entry 0"},
		{"relative directory", func(c *sdk.Command) { c.Dir = "x" }, "not absolute"},
		{"NUL in directory", func(c *sdk.Command) { c.Dir = "/\x00" }, "NUL"},
		{"8 MiB path", func(c *sdk.Command) { c.Path = strings.Repeat("x", 8<<20) }, "not absolute"},
	}
	for _, tt := range tests {
		c := good
		tt.lie(&c)
		err := verifyCommand(&c)
		if err == nil || !strings.Contains(err.Error(), tt.says) || len(err.Error()) > 3*maxErrorText {
			t.Errorf("%s: %.200v", tt.name, err)
		}
	}
}

func TestLiesInState(t *testing.T) {
	tests := []struct{ text, says string }{
		{`{"id":"c","status":"running","pid":2}`, ""},
		{`{"id":"c","status":"stopped"}`, ""},
		{`{"id":"c","status":"creating"}`, ""},
		{`{"id":"c","status":"paused","pid":4194304,"new":"key"}`, ""},
		{``, "no state"},
		{`null`, "unknown status"},
		{`[]`, "no state"},
		{`{"id":"c","status":"running","pid":2} trailing`, "no state"},
		{`{"id":"c","status":"dancing","pid":2}`, `unknown status "dancing"`},
		{`{"id":"d","status":"running","pid":2}`, `container "d" instead of "c"`},
		{`{"id":"c","status":"running"}`, "with pid 0"},
		{`{"id":"c","status":"created"}`, "with pid 0"},
		{`{"id":"c","status":"paused"}`, "with pid 0"},
		{`{"id":"c","status":"running","pid":1}`, "with pid 1"},
		{`{"id":"c","status":"running","pid":-1}`, "with pid -1"},
		{`{"id":"c","status":"stopped","pid":-2}`, "with pid -2"},
		{`{"id":"c","status":"running","pid":4194305}`, "with pid 4194305"},
		{`{"id":"c","status":"running","pid":1e3}`, "no state"},
		{`{"id":"c","status":"` + strings.Repeat("x", 8<<20) + `"}`, "unknown status"},
		{strings.Repeat(`{"a":`, 20000), "no state"},
	}
	for _, tt := range tests {
		state, err := verifiedState([]byte(tt.text), "c")
		if (err == nil) != (tt.says == "") || (state == nil) != (err != nil) {
			t.Errorf("%.60s: %v, %.200v", tt.text, state, err)
		}
		if err != nil && (!strings.Contains(err.Error(), tt.says) || len(err.Error()) > 3*maxErrorText) {
			t.Errorf("%.60s: %.200v", tt.text, err)
		}
	}
}

func TestPrintable(t *testing.T) {
	for text, want := range map[string]string{
		"plain ü":              "plain ü",
		"a\x1b[0m\r\n":         `a\x1b[0m\r\n`,
		"\u202e right to left": `\u202e right to left`,
		"\xff":                 "\uFFFD",
		`quote ' and "`:        `quote ' and "`,
	} {
		if got := printable(text); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
		if strings.ContainsFunc(printable(text), unicode.IsControl) {
			t.Errorf("%q: control characters are left", text)
		}
	}
}
