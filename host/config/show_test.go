package config

import (
	"bytes"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-hpc/berth/internal/golden"
)

func shown(t testing.TB, config *Config) []byte {
	t.Helper()
	var out bytes.Buffer
	if err := config.Show(&out); err != nil {
		t.Fatal(err)
	}
	return out.Bytes()
}

func TestShow(t *testing.T) {
	data, err := os.ReadFile("testdata/site.toml")
	if err != nil {
		t.Fatal(err)
	}
	site, err := Parse(sitePath, data)
	if err != nil {
		t.Fatal(err)
	}
	for file, config := range map[string]*Config{
		"testdata/site.show":    site,
		"testdata/default.show": Default(),
	} {
		golden.Check(t, file, string(shown(t, config)))
		checkRoundTrip(t, config)
	}
}

// checkRoundTrip reads what Show writes and expects the same configuration.
func checkRoundTrip(t testing.TB, config *Config) {
	t.Helper()
	out := shown(t, config)
	again, err := Parse("shown", out)
	if err != nil {
		t.Fatalf("%v in\n%s", err, out)
	}
	if diff := cmp.Diff(config, again, values, cmpopts.IgnoreFields(Config{}, "Source"), cmpopts.EquateEmpty()); diff != "" {
		t.Fatalf("-before +after\n%s\n%s", diff, out)
	}
}

func TestShowPassesErrorsOn(t *testing.T) {
	if err := Default().Show(brokenPipe{}); err == nil {
		t.Error("no error from a reader that is gone")
	}
}

type brokenPipe struct{}

func (brokenPipe) Write([]byte) (int, error) { return 0, os.ErrClosed }

func TestQuote(t *testing.T) {
	for _, s := range []string{
		"", "plain", `back\slash "quoted"`, "line\nline\r\n\t", "\x00\x01\x1b[31m\x7f", "\u0085\u2028é🚢\ufffd", "# no comment", "]} = ",
	} {
		config := Default()
		config.Log.File = s
		config.Drivers = map[string]Driver{}
		file := "[drivers.x]\n" + bare(s) + " = " + quote(s)
		parsed, err := Parse("f", []byte(file))
		if err != nil {
			t.Errorf("%q: %v", file, err)
			continue
		}
		checkRoundTrip(t, parsed)
	}
}

func TestShort(t *testing.T) {
	for _, c := range []struct{ in, want string }{
		{"30m", "30m"}, {"1h", "1h"}, {"1h30m", "1h30m"}, {"90s", "1m30s"}, {"10s", "10s"}, {"20m0.5s", "20m0.5s"}, {"1h0m5s", "1h0m5s"}, {"10h", "10h"},
	} {
		config := mustParse(t, "deadlines.run = \""+c.in+"\"")
		if got := short(config.Deadlines.Run); got != c.want {
			t.Errorf("%s: got %s, want %s", c.in, got, c.want)
		}
	}
}
