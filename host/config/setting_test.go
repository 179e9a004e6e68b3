package config

import (
	"encoding/json"
	"math"
	"testing"
)

func TestSettingsAreLossless(t *testing.T) {
	for _, c := range []struct{ toml, want string }{
		{`"plain"`, `"plain"`},
		{`"tab\t nl\n quote\" nul\u0000 <&> é \U0001F6A2"`, `"tab\t nl\n quote\" nul\u0000 \u003c\u0026\u003e é 🚢"`},
		{`'C:\raw'`, `"C:\\raw"`},
		{"'''\nline\nline'''", `"line\nline"`},
		{`9223372036854775807`, `9223372036854775807`},
		{`-9223372036854775808`, `-9223372036854775808`},
		{`1_000`, `1000`},
		{`0o755`, `493`},
		{`1.0`, `1.0`},
		{`-0.0`, `-0.0`},
		{`0.1`, `0.1`},
		{`1e300`, `1e+300`},
		{`5e-324`, `5e-324`},
		{`1.7976931348623157e308`, `1.7976931348623157e+308`},
		{`true`, `true`},
		{`[]`, `[]`},
		{`[1, "a", [2.5, []], {b = false}]`, `[1,"a",[2.5,[]],{"b":false}]`},
		{`{}`, `{}`},
		{`{a.b = 1, "c d" = {}}`, `{"a":{"b":1},"c d":{}}`},
	} {
		config, err := Parse("f", []byte("[drivers.x]\nkey = "+c.toml))
		if err != nil {
			t.Errorf("%s: %v", c.toml, err)
			continue
		}
		if got, want := string(config.Driver("x").Settings), `{"key":`+c.want+`}`; got != want {
			t.Errorf("%s: got %s, want %s", c.toml, got, want)
		}
	}
}

func TestSettingsOfTables(t *testing.T) {
	const file = `
drivers.x.z = 1
[drivers.x.t.u]
k = 1
[[drivers.x.list]]
a = 1
[drivers.x.list.b]
c = 2
[[drivers.x.list]]
a = 3
`
	config, err := Parse("f", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	want := `{"list":[{"a":1,"b":{"c":2}},{"a":3}],"t":{"u":{"k":1}},"z":1}`
	if got := string(config.Driver("x").Settings); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestDriverWithoutTable(t *testing.T) {
	got := Default().Driver("crun")
	if string(got.Settings) != "{}" || got.Path != "" || got.SHA256 != "" {
		t.Errorf("got %+v", got)
	}
}

func TestFloat(t *testing.T) {
	for _, f := range []float64{0, 1, -1, 1e21, 1e6, 123456789, math.Pi, math.MaxFloat64, math.SmallestNonzeroFloat64} {
		var back float64
		if err := json.Unmarshal([]byte(float(f)), &back); err != nil || back != f {
			t.Errorf("%v: %s reads as %v (%v)", f, float(f), back, err)
		}
		if json.Unmarshal([]byte(float(f)), new(int64)) == nil {
			t.Errorf("%v: %s can be taken for an integer", f, float(f))
		}
	}
}

func TestSettingPosition(t *testing.T) {
	const file = `drivers.runc.runtime = "/usr/bin/runc"

[drivers.crun]
runtime = "/usr/bin/crun"
mounts = [
  {source = "/a"},
  {source = "/b", options = ["ro", "nosuid"]},
]
"a.b" = 1

[[drivers.crun.sets]]
[[drivers.crun.sets]]
name = "x"

[drivers.crun.log]
file = "/x"
`
	config, err := Parse("/etc/berth/berth.toml", []byte(file))
	if err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct{ driver, key, want string }{
		{"crun", "runtime", ":4:1"},
		{"runc", "runtime", ":1:14"},
		{"crun", "mounts", ":5:1"},
		{"crun", "mounts[1].source", ":7:4"},
		{"crun", "mounts[1].options[1]", ":7:36"},
		{"crun", "mounts.0.source", ":6:4"},
		{"crun", "a.b", ":9:1"},
		{"crun", "sets[1].name", ":13:1"},
		{"crun", "log.file", ":16:1"},
		{"crun", "log.level", ":15:15"},          // not there: the table around it
		{"crun", "mounts[7].source", ":5:1"},     // as far as it goes
		{"crun", "nothing", ":3:10"},             // the driver's table
		{"crun", "", ":3:10"},                    //
		{"crun", "mounts[-1]", ":5:1"},           // hostile keys
		{"crun", "mounts[999999999999]", ":5:1"}, //
		{"nvidia", "runtime", ""},
	} {
		want := c.want
		if want != "" {
			want = "/etc/berth/berth.toml" + want
		}
		if got := config.SettingPosition(c.driver, c.key); got != want {
			t.Errorf("%s %q: got %q, want %q", c.driver, c.key, got, want)
		}
	}
	if got := Default().SettingPosition("crun", "runtime"); got != "" {
		t.Errorf("without a file: %q", got)
	}
}

func TestSudo(t *testing.T) {
	for toml, want := range map[string]string{`sudo = "/usr/bin/sudo"`: "/usr/bin/sudo", `sudo = ""`: "", `sudo = true`: "", `other = 1`: ""} {
		config, err := Parse("f", []byte("[drivers.x]\n"+toml))
		if err != nil {
			t.Fatal(err)
		}
		if got := config.Driver("x").Sudo(); got != want {
			t.Errorf("%s: %q", toml, got)
		}
	}
	if got := Default().Driver("x").Sudo(); got != "" {
		t.Errorf("without a table: %q", got)
	}
}
