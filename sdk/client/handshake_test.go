package client

import (
	"strings"
	"testing"
	"unicode"
)

func TestReadHandshake(t *testing.T) {
	tests := []struct{ output, line, says string }{
		{"1|1|unix|/d/s|grpc|\nmore", "1|1|unix|/d/s|grpc|", ""},
		{strings.Repeat("x", maxHandshake-1) + "\n", strings.Repeat("x", maxHandshake-1), ""},
		{strings.Repeat("x", maxHandshake) + "\n", "", "longer than"},
		{"", "", "ended before it was ready"},
		{"half", "", `ended within its first line of output: "half"`},
	}
	for _, tt := range tests {
		line, err := readHandshake(strings.NewReader(tt.output))
		if line != tt.line || (err == nil) != (tt.says == "") {
			t.Errorf("%.20q: %.20q, %v", tt.output, line, err)
		}
		if err != nil && !strings.Contains(err.Error(), tt.says) {
			t.Errorf("%.20q: %v", tt.output, err)
		}
	}
}

func TestCheckHandshake(t *testing.T) {
	tests := []struct {
		line, dir string
		good      bool
	}{
		{"1|1|unix|/d/s|grpc", "/d", true},
		{"1|1|unix|/d/s|grpc|", "/d", true},
		{"1|1|unix|/d/s|grpc||true|whatever", "/d", true},
		{"1|1|unix|/d/s|grpc|", "//d/", true},
		{"1|1|unix|/d/..|grpc|", "/d", false},
		{"1|1|unix|/d/x/s|grpc|", "/d", false},
		{"1|1|unix|s|grpc|", "/d", false},
		{"1|1|unix||grpc|", "/d", false},
		{"1|1|unix|/d/s", "/d", false},
		{"1|x|unix|/d/s|grpc|", "/d", false},
		{"1|-1|unix|/d/s|grpc|", "/d", false},
		{"1|1|unix|/d/s|grpc|\r", "/d", false},
	}
	for _, tt := range tests {
		socket, err := checkHandshake(tt.line, tt.dir)
		if (err == nil) != tt.good || tt.good && socket != "/d/s" {
			t.Errorf("%q in %q: %q, %v", tt.line, tt.dir, socket, err)
		}
	}
}

func FuzzHandshake(f *testing.F) {
	f.Add("1|1|unix|/d/s|grpc|\n")
	f.Add("2|99|tcp|/d/../s|netrpc|cert|true\n")
	f.Fuzz(func(t *testing.T, output string) {
		line, err := readHandshake(strings.NewReader(output))
		var socket string
		if err == nil {
			socket, err = checkHandshake(line, "/d")
		}
		switch {
		case err == nil && (!strings.HasPrefix(socket, "/d/") || strings.Contains(socket[3:], "/") || socket == "/d/.."):
			t.Errorf("accepted the socket %q", socket)
		case err != nil && (len(err.Error()) > 1000 || strings.ContainsFunc(err.Error(), unicode.IsControl)):
			t.Errorf("not one clean line: %q", err)
		}
	})
}
