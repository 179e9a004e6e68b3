package config

import (
	"errors"
	"os"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

// FuzzParse expects for every input either errors of one printable line each, or a configuration
// that reads the same again after Show.
func FuzzParse(f *testing.F) {
	site, err := os.ReadFile("testdata/site.toml")
	if err != nil {
		f.Fatal(err)
	}
	for _, seed := range []string{
		string(site), chooseFile, "", "[log]\n[log]", "a.b.c=1\na.b=1", "[[rules]]\n[rules.x]\n[[rules.x.y]]",
		"[drivers.x]\n\"\\u0000\" = [1.5e3, -0.0, {a.b = '''\n'''}]\n[[drivers.x.t]]\n[drivers.x.t.u]",
		"deadlines = {run = \"1h1ns\"}", "policy.user_drivers=[\"[a-z]*\",\n\"\\\\*\", ]", "\ufeff", "\xff", "x = [[[[", "x = 1979-05-27",
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		config, err := Parse("f", data)
		if err == nil {
			checkRoundTrip(t, config)
			return
		}
		var all Errors
		if !errors.As(err, &all) || len(all) == 0 || !errors.Is(err, sdk.ErrInvalid) {
			t.Fatalf("%T %v is no Errors", err, err)
		}
		for _, e := range all {
			if text := e.Error(); strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r == 0x7f }) {
				t.Fatalf("unprintable message %q", text)
			}
			if e.Position.Line == 0 && len(data) <= MaxSize {
				t.Fatalf("no position: %v", e)
			}
		}
	})
}
