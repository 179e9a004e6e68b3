package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"

	"github.com/berth-hpc/berth/sdk"
)

const sitePath = "/etc/berth/berth.toml"

var values = cmpopts.IgnoreUnexported(Config{})

func TestParse(t *testing.T) {
	data, err := os.ReadFile("testdata/site.toml")
	if err != nil {
		t.Fatal(err)
	}
	got, err := Parse(sitePath, data)
	if err != nil {
		t.Fatal(err)
	}
	want := Default()
	want.Source = sitePath
	want.DefaultDriver = "crun"
	want.Deadlines.Run = 90 * time.Second
	want.Policy.UserDrivers = []string{"crun", "runc", "acme"}
	want.Policy.Hooks = []string{"/usr/libexec/site-hook"}
	want.Drivers = map[string]Driver{
		"crun": {Settings: json.RawMessage(`{"debug":false,"mounts":[{"options":["ro"],"source":"/apps"}],"runtime":"/usr/bin/crun"}`)},
		"acme": {
			Path:     "/opt/acme/berth-driver-acme",
			SHA256:   "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
			Settings: json.RawMessage(`{"scale":1.0}`),
		},
	}
	want.Rules = []Rule{
		{Account: []string{"visitors"}, Driver: "runc"},
		{Partition: []string{"gpu*"}, GRES: []string{"gpu:*"}, Driver: "nvidia"},
	}
	if diff := cmp.Diff(want, got, values); diff != "" {
		t.Errorf("-want +got\n%s", diff)
	}
}

func TestParseEmpty(t *testing.T) {
	for _, file := range []string{"", "\n", "# nothing\r\n", "[log]\n[policy]\n[drivers]\n"} {
		got, err := Parse("f", []byte(file))
		if err != nil {
			t.Errorf("%q: %v", file, err)
			continue
		}
		if diff := cmp.Diff(Default(), got, values, cmpopts.IgnoreFields(Config{}, "Source"), cmpopts.EquateEmpty()); diff != "" {
			t.Errorf("%q: -want +got\n%s", file, diff)
		}
	}
}

// TestParseErrors holds every message word for word: they are what an administrator works with.
func TestParseErrors(t *testing.T) {
	const name = `up to 32 lower-case letters, digits and "-", starting with a letter or digit`
	for _, c := range []struct{ file, want string }{
		// Keys that are not there.
		{"defualt_driver = \"crun\"", `f:1:1: unknown key "defualt_driver"; did you mean "default_driver"?`},
		{"colour = 1", `f:1:1: unknown key "colour"`},
		{"\n[driver.crun]\n", `f:2:2: unknown key "driver"; did you mean "drivers"?`},
		{"[log]\nlevle = \"info\"", `f:2:1: unknown key "log.levle"; did you mean "log.level"?`},
		{"log.levle = \"info\"", `f:1:5: unknown key "log.levle"; did you mean "log.level"?`},
		{"log = {levle = \"info\"}", `f:1:8: unknown key "log.levle"; did you mean "log.level"?`},
		{"[[rules]]\npartitions = [\"a\"]\ndriver = \"crun\"", `f:2:1: unknown key "rules.partitions"; did you mean "rules.partition"?`},
		{"[log]\ndefault_driver = \"crun\"", `f:2:1: unknown key "log.default_driver"; "default_driver" does not belong to [log]: write it above the first table`},
		{"\"\\u001b[31m\" = 1", `f:1:1: unknown key "\x1b[31m"`},

		// Types.
		{"default_driver = 3", `f:1:1: default_driver: expected a string, got an integer`},
		{"default_driver = 3.5", `f:1:1: default_driver: expected a string, got a float`},
		{"default_driver = true", `f:1:1: default_driver: expected a string, got a boolean`},
		{"default_driver = [\"crun\"]", `f:1:1: default_driver: expected a string, got an array`},
		{"default_driver = 2026-01-02", `f:1:1: default_driver: expected a string, got a date or time`},
		{"[default_driver]", `f:1:2: default_driver: expected a string, got a table`},
		{"init = \"yes\"", `f:1:1: init: expected true or false, got a string`},
		{"log = \"info\"", `f:1:1: log: expected a table, got a string`},
		{"[[log]]", `f:1:3: log: expected a table, got an array`},
		{"deadlines.run = 60", `f:1:11: deadlines.run: expected a duration in quotes, such as "5s", got an integer`},
		{"policy.hooks = \"/a\"", `f:1:8: policy.hooks: expected an array of strings, got a string`},
		{"policy.hooks = [\n  \"/a\",\n  [1],\n  2]", "f:1:8: policy.hooks: expected a string, got an array\nf:4:3: policy.hooks: expected a string, got an integer"},
		{"[rules]\ndriver = \"crun\"", `f:1:2: rules: expected [[rules]], in double brackets, got a table`},
		{"rules = [1]", "f:1:10: rules: expected a table, got an integer"},
		{"drivers = []", "f:1:1: drivers: expected a table for each driver, [drivers.NAME], got an array"},
		{"drivers.crun = \"/usr/bin/crun\"", "f:1:9: drivers.crun: expected a table, [drivers.NAME], got a string"},
		{"[[drivers.crun]]", "f:1:11: drivers.crun: expected a table, [drivers.NAME], got an array"},

		// Values.
		{"default_driver = \"Crun\"", `f:1:1: default_driver: "Crun" is not a driver's name: ` + name},
		{"default_driver = \"\"", `f:1:1: default_driver: "" is not a driver's name: ` + name},
		{"[drivers.\"../crun\"]", `f:1:10: drivers: "../crun" is not a driver's name: ` + name},
		{"[drivers.auto]", `f:1:10: drivers.auto: no driver can have this name: it stands for the first driver whose check passes`},
		{"[drivers.acme]\npath = \"acme\"", `f:2:1: drivers.acme.path: expected an absolute path without ".", ".." and doubled slashes, got "acme"`},
		{"[drivers.acme]\npath = \"/opt/../acme\"", `f:2:1: drivers.acme.path: expected an absolute path without ".", ".." and doubled slashes, got "/opt/../acme"`},
		{"[drivers.acme]\npath = \"/opt/a\\u0000b\"", `f:2:1: drivers.acme.path: expected an absolute path without ".", ".." and doubled slashes, got "/opt/a\x00b"`},
		{"[drivers.acme]\nsha256 = \"E3B0\"", `f:2:1: drivers.acme.sha256: expected 64 hexadecimal digits in lower case, as sha256sum prints them, got "E3B0"`},
		{"log.level = \"loud\"", `f:1:5: log.level: expected "error", "warn", "info" or "debug", got "loud"`},
		{"deadlines.run = \"soon\"", `f:1:11: deadlines.run: expected a duration such as "5s", "200ms" or "1m30s", got "soon"`},
		{"deadlines.run = \"0s\"", `f:1:11: deadlines.run: expected a duration above 0 and up to 24h, got "0s"`},
		{"deadlines.run = \"-5s\"", `f:1:11: deadlines.run: expected a duration above 0 and up to 24h, got "-5s"`},
		{"deadlines.run = \"25h\"", `f:1:11: deadlines.run: expected a duration above 0 and up to 24h, got "25h"`},
		{"policy.user_drivers = [\"a\", \"b[\"]", `f:1:29: policy.user_drivers: malformed pattern "b[": a "[" is not closed, or nothing follows a "\"`},
		{"policy.user_drivers = [\"\"]", `f:1:24: policy.user_drivers: an empty pattern matches nothing`},
		{"policy.mount_sources = [\"apps\"]", `f:1:25: policy.mount_sources: expected an absolute path without ".", ".." and doubled slashes, got "apps"`},
		{"[[rules]]\npartition = []\ndriver = \"crun\"", `f:2:1: rules.partition: an empty array matches nothing; leave the key out`},
		{"\n[[rules]]\npartition = [\"gpu\"]", `f:2:3: rules: a rule needs a driver`},
		{"[[rules]]\ndriver = \"\"", `f:2:1: rules.driver: "" is not a driver's name: ` + name},

		// Settings that a driver cannot be given.
		{"[drivers.crun]\nsince = 2026-01-02T03:04:05Z", `f:2:1: drivers.crun.since: a driver cannot be given a date or time; write a string, in quotes`},
		{"[drivers.crun]\na.b = [1, 07:32:00]", `f:2:11: drivers.crun.a.b: a driver cannot be given a date or time; write a string, in quotes`},
		{"[drivers.crun]\nlimit = inf", `f:2:1: drivers.crun.limit: a driver cannot be given inf or nan`},
		{"[drivers.crun.x]\nlimit = [1.5, -nan]", `f:2:15: drivers.crun.x.limit: a driver cannot be given inf or nan`},

		// TOML itself.
		{"init = true\ninit = true", `f:2:1: key init is already defined`},
		{"[log]\n[policy]\n[log]", `f:3:2: table log already exists`},
		{"[drivers.crun]\na = 1\n\n[drivers.crun]\nb = 2", `f:4:2: table crun already exists`},
		{"log.level = \"info\"\n[log]", `f:2:2: table log already exists as defined by a dotted key`},
		{"rules = []\n[[rules]]", `f:2:3: key rules already exists as a value, but should be an array table`},
		{"default_driver = \"crun", `f:1:22: unterminated basic string`},
		{"default_driver = crun", `f:1:18: unexpected character U+0063 'c' at start of value`},
		{"default_driver", `f:1:14: expected '=' after key`},
		{"init = true init = true", `f:1:13: expected newline but got U+0069 'i'`},
		{"[drivers.crun]\nn = 9223372036854775808", `f:2:5: decimal number is too large to fit in a 64-bit signed integer`},
		{"\"a\\u001b\" = 1\n\"a\\u001b\" = 1", `f:2:1: key a? is already defined`},

		// Bytes.
		{"\ufeffinit = true", "f:1:1: the file starts with a byte order mark; save it as UTF-8 without one"},
		{"init = true # \xe9t\xe9", "f:1:15: the file is not valid UTF-8"},
		{strings.Repeat("#", MaxSize+1), "f: the file has 1048577 bytes, more than the 1048576 allowed"},
	} {
		_, err := Parse("f", []byte(c.file))
		if got := lines(err); got != c.want {
			t.Errorf("%.80q:\n got %s\nwant %s", c.file, got, c.want)
		}
		if !errors.Is(err, sdk.ErrInvalid) {
			t.Errorf("%.80q: the error is not an ErrInvalid", c.file)
		}
	}
}

// lines writes every error of a file on a line of its own.
func lines(err error) string {
	var all Errors
	if !errors.As(err, &all) {
		return fmt.Sprint(err)
	}
	text := make([]string, len(all))
	for i, e := range all {
		text[i] = e.Error()
	}
	return strings.Join(text, "\n")
}

func TestParseReportsEverythingInOrder(t *testing.T) {
	_, err := Parse("f", []byte("polcy = 1\ninit = 0\n[log]\nlevel = 1\nfile = \"x\"\n"))
	want := strings.Join([]string{
		`f:1:1: unknown key "polcy"; did you mean "policy"?`,
		`f:2:1: init: expected true or false, got an integer`,
		`f:4:1: log.level: expected a string, got an integer`,
		`f:5:1: log.file: expected an absolute path without ".", ".." and doubled slashes, got "x"`,
	}, "\n")
	if got := lines(err); got != want {
		t.Errorf("got\n%s\nwant\n%s", got, want)
	}
	if got, want := err.Error(), `f:1:1: unknown key "polcy"; did you mean "policy"? (and 3 more errors)`; got != want {
		t.Errorf("in one line: %s, want %s", got, want)
	}
	_, two := Parse("f", []byte("init = 0\nlog = 0"))
	if got, want := fmt.Sprint(two), "f:1:1: init: expected true or false, got an integer (and 1 more error)"; got != want {
		t.Errorf("in one line: %s, want %s", got, want)
	}
	if got := sdk.Advice(err); !strings.Contains(got, "berth config check") {
		t.Errorf("advice %q does not say how to see the rest", got)
	}
}

// TestParseHostile feeds what would take a careless reader minutes or gigabytes.
func TestParseHostile(t *testing.T) {
	var manyKeys strings.Builder
	for i := range 100_000 {
		fmt.Fprintf(&manyKeys, "k%d=1\n", i)
	}
	const tooDeep = "tables and arrays are nested too deeply: 64 levels are the most"
	for name, c := range map[string]struct{ file, want string }{
		"keys":         {manyKeys.String(), "f:10001:1: too many keys: 10000 are the most"},
		"dotted key":   {strings.Repeat("a.", 500_000) + "a=1", "f:1:129: " + tooDeep},
		"header":       {"[" + strings.Repeat("a.", 500_000) + "a]", "f:1:130: " + tooDeep},
		"array":        {"[drivers.x]\na=" + strings.Repeat("[", 5000) + strings.Repeat("]", 5000), "f:2:1: " + tooDeep},
		"inline table": {"[drivers.x]\na=" + strings.Repeat("{a=", 70) + "1" + strings.Repeat("}", 70), "f:2:187: " + tooDeep},
		"open array":   {"a=" + strings.Repeat("[", 500_000), "f:1:10003: "},
		"long key":     {strings.Repeat("a", 1_000_000) + "=1", `f:1:1: unknown key "aaaa`},
		"long value":   {"log.level=\"" + strings.Repeat("\\u001b", 100_000) + "\"", `f:1:5: log.level: expected "error", "warn", "info" or "debug", got "\x1b\x1b`},
	} {
		_, err := Parse("f", []byte(c.file))
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%s: got %.200v, want %s", name, err, c.want)
		} else if n := len(err.Error()); n > 2*maxText {
			t.Errorf("%s: the message has %d bytes", name, n)
		}
	}
}
