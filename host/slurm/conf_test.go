package slurm

import (
	"strings"
	"testing"

	"github.com/berth-hpc/berth/internal/golden"
)

func TestConf(t *testing.T) {
	for _, c := range []Conf{
		{Version: Version{22, 5}, Signals: "direct"},
		{Version: Version{23, 2}, Signals: "forward"},
		{Version: Version{24, 11}, Signals: "forward"},
		{Version: Version{26, 5}, Signals: "direct"},
		{Version: Version{24, 11}, Signals: "forward", IgnoreConfig: true},
	} {
		c.Berth = "/usr/local/bin/berth"
		name := c.Version.String()
		if c.IgnoreConfig {
			name += "-ignore"
		}
		t.Run(name, func(t *testing.T) {
			text, err := c.Text()
			if err != nil {
				t.Fatal(err)
			}
			golden.Check(t, "testdata/"+name+".conf", text)
			faults, err := Lint(strings.NewReader(text))
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range faults {
				if f.Option != "IgnoreFileConfigJson" {
					t.Errorf("berth's own file is not clean: %+v", f)
				}
			}
		})
	}
}

// TestConfPatterns: 22.05 ends slurmstepd on a pattern that it does not know, and root's commands hold
// nothing that a user chooses.
func TestConfPatterns(t *testing.T) {
	for _, v := range []Version{{22, 5}, {23, 2}, {23, 11}, {24, 5}, {24, 11}, {25, 5}, {25, 11}, {26, 5}} {
		for _, ignore := range []bool{false, true} {
			text, err := Conf{Berth: "/usr/bin/berth", Version: v, Signals: "direct", IgnoreConfig: ignore}.Text()
			if ignore && !v.AtLeast(Version{23, 2}) {
				if err == nil {
					t.Errorf("%s has no IgnoreFileConfigJson", v)
				}
				continue
			}
			if err != nil {
				t.Fatal(err)
			}
			for _, line := range strings.Split(text, "\n") {
				option, value, _ := strings.Cut(line, "=")
				if v == (Version{22, 5}) && strings.Contains(value, "%U") {
					t.Errorf("22.05 does not know %%U: %s", line)
				}
				byRoot := option == "RunTimeQuery" || option == "RunTimeKill" || option == "RunTimeDelete"
				if byRoot && strings.ContainsAny(patterns(value), "bre@upmZ") {
					t.Errorf("%s: %s has a pattern that is not safe for root", v, line)
				}
			}
		}
	}
}

// patterns returns the letters that follow each '%'.
func patterns(text string) string {
	var letters strings.Builder
	for i := range len(text) - 1 {
		if text[i] == '%' {
			letters.WriteByte(text[i+1])
		}
	}
	return letters.String()
}

func TestConfRefusesPaths(t *testing.T) {
	for _, path := range []string{"berth", "/opt/a b/berth", "/opt/it's", "/opt/50%/berth", "/opt/#1/berth", "/opt/$(id)/berth", "/opt/a;b", "/opt/\"x"} {
		if text, err := (Conf{Berth: path, Version: Version{24, 11}}).Text(); err == nil {
			t.Errorf("%q got into a shell command:\n%s", path, text)
		}
	}
}

func TestParseVersion(t *testing.T) {
	for text, want := range map[string]string{
		"slurm-wlm 22.05.8": "22.05", "24.11": "24.11", "slurm 26.05.5-rc1": "26.05", "": "", "x.y": "", "24": "", "24.13": "",
	} {
		v, err := ParseVersion(text)
		if got := v.String(); (want == "") != (err != nil) || want != "" && got != want {
			t.Errorf("%q: got %s, %v; want %q", text, got, err, want)
		}
	}
}
