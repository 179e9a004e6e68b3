package doctor

import (
	"context"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/berth-hpc/berth/sdk"
)

func TestCompareVersions(t *testing.T) {
	// Each is older than the next line's; those of one line are the same.
	ascending := []string{
		"0.1 0.1.0",
		"1.0.0-alpha",
		"1.0.0-rc7 1.0.0-rc.7",
		"1.0.0-rc10",
		"1.0.0-rc92+dev 1.0.0~rc92",
		"1.0.0-rc93",
		"1.0.0 1 1.0",
		"1.1.5 1.1.5+ds1 1.1.5+ds1-1+deb12u1 v1.1.5 1.1.5-0ubuntu1~22.04.1",
		"1.1.12-0ubuntu3 1.1.12",
		"1.2",
		"1.3.0-rc.1 1.3.0-rc1 1.3.0~rc1",
		"1.3.0-rc.2",
		"1.3.0-rc.10",
		"1.3.0",
		"1.3.0.0.1",
		"1.9 1.9.0",
		"1.10",
		"1.28 1.28-1.el9",
		"10.0",
	}
	parse := func(text string) version {
		v, ok := parseVersion(text)
		if !ok {
			t.Fatalf("%q is not read as a version", text)
		}
		return v
	}
	for i, older := range ascending {
		for _, a := range strings.Fields(older) {
			for j, newer := range ascending {
				for _, b := range strings.Fields(newer) {
					if got, want := parse(a).compare(parse(b)), sign(i-j); got != want {
						t.Errorf("%s compared with %s is %d, want %d", a, b, got, want)
					}
				}
			}
		}
	}
	for _, text := range []string{"", "unknown", "1.", ".1", "1..2", "-1", "1.x", "v", "1.99999999999999999999"} {
		if v, ok := parseVersion(text); ok {
			t.Errorf("%q is read as %v", text, v)
		}
	}
}

func sign(n int) int {
	switch {
	case n < 0:
		return -1
	case n > 0:
		return 1
	}
	return 0
}

func TestKnownVulnerabilities(t *testing.T) {
	tests := []struct {
		runtime, version string
		has, hasNot      string // ids, some of them
	}{
		{"runc", "1.1.5+ds1", "CVE-2024-21626 CVE-2024-45310 CVE-2025-31133 CVE-2025-52565 CVE-2025-52881 CVE-2026-41579", "CVE-2023-27561 CVE-2019-5736"},
		{"runc", "1.1.15", "CVE-2025-31133 CVE-2026-41579", "CVE-2024-21626 CVE-2024-45310"},
		{"runc", "1.2.0-rc.2", "CVE-2024-45310", "CVE-2024-21626"},
		{"runc", "1.2.0-rc.3", "CVE-2025-52881", "CVE-2024-45310"},
		{"runc", "1.2.7", "CVE-2025-52881", "CVE-2024-45310"},
		{"runc", "1.2.8", "CVE-2026-41579", "CVE-2025-52881"},
		{"runc", "1.3.2", "CVE-2025-52881", ""},
		{"runc", "1.3.3", "CVE-2026-41579", "CVE-2025-52881"},
		{"runc", "1.3.6", "", "CVE-2025-52881 CVE-2026-41579"},
		{"runc", "1.4.0-rc.2", "CVE-2025-52881", ""},
		{"runc", "1.4.2", "CVE-2026-41579", "CVE-2025-52881"},
		{"runc", "1.4.3", "", "CVE-2026-41579"},
		{"runc", "1.5.0-rc.2", "CVE-2026-41579", ""},
		{"runc", "1.5.0", "", "CVE-2026-41579"},
		{"runc", "2.0.0", "", "CVE-2026-41579"},
		{"runc", "1.0.0-rc92", "CVE-2021-30465", "CVE-2024-21626 CVE-2019-5736"},
		{"runc", "1.0.0-rc93", "CVE-2024-21626", ""},
		{"crun", "1.8.1", "CVE-2025-24965 CVE-2026-47766", "CVE-2026-30892 CVE-2022-27650"},
		{"crun", "1.19.1", "CVE-2026-30892 CVE-2025-24965", ""},
		{"crun", "1.26", "CVE-2026-30892", "CVE-2025-24965"},
		{"crun", "1.28", "", "CVE-2026-47766 CVE-2026-30892"},
		{"nvidia-container-runtime", "1.17.7", "CVE-2025-23266", "CVE-2024-0132"},
		{"nvidia-container-toolkit", "1.17.8", "", "CVE-2025-23266"},
		{"apptainer", "1.4.5", "CVE-2026-48785", "CVE-2025-65105"},
		{"apptainer", "1.5.1", "", "CVE-2026-48785"},
		{"singularity", "4.4.1", "CVE-2026-47215", "CVE-2025-64750"},
		{"singularity", "4.4.2", "", "CVE-2026-47215"},
	}
	for _, test := range tests {
		p, ok := productOf(test.runtime)
		v, okToo := parseVersion(test.version)
		if !ok || !okToo {
			t.Errorf("%s %s is not known", test.runtime, test.version)
			continue
		}
		ids := p.open(v)
		for _, id := range strings.Fields(test.has) {
			if !slices.Contains(ids, id) {
				t.Errorf("%s %s: %s is missing in %v", test.runtime, test.version, id, ids)
			}
		}
		for _, id := range strings.Fields(test.hasNot) {
			if slices.Contains(ids, id) {
				t.Errorf("%s %s: %s is fixed there and listed", test.runtime, test.version, id)
			}
		}
		if test.has == "" && len(ids) > 0 {
			t.Errorf("%s %s: %v are listed", test.runtime, test.version, ids)
		}
	}
}

func TestVulnerabilityList(t *testing.T) {
	id := regexp.MustCompile(`^CVE-20\d\d-\d{4,}$`)
	seen := map[string]bool{}
	for _, p := range products() {
		for _, f := range p.flaws {
			if f.what == "" || strings.ContainsAny(f.what, "\n|") || len(f.ids) == 0 || len(f.fixed) == 0 {
				t.Errorf("%v: %+v is not complete", p.names, f)
			}
			for _, text := range f.ids {
				if !id.MatchString(text) || seen[text] {
					t.Errorf("%q is not an id, or listed twice", text)
				}
				seen[text] = true
			}
			var last version
			for _, text := range f.fixed {
				v, ok := parseVersion(text)
				if !ok || v.compare(last) <= 0 {
					t.Errorf("%v: fixed in %v, not ascending", f.ids, f.fixed)
				}
				last = v
			}
			if _, ok := parseVersion(f.since); f.since != "" && !ok {
				t.Errorf("%v: since %q", f.ids, f.since)
			}
		}
	}
}

func TestRuntimeVersions(t *testing.T) {
	tests := []struct {
		name     string
		runtimes []*sdk.Runtime
		status   Status
		what     string
		mend     string
	}{
		{"none", nil, StatusOK, "no runtime", ""},
		{"old", []*sdk.Runtime{{Name: "runc", Version: "1.1.5+ds1"}}, StatusWarning, "runc 1.1.5+ds1 is older than the fixes of CVE-2024-21626, ", "apt-get install --only-upgrade runc"},
		{"new", []*sdk.Runtime{{Name: "runc", Version: "1.5.0"}, {Name: "crun", Version: "1.28"}}, StatusOK, "runc 1.5.0, crun 1.28", ""},
		{"unlisted", []*sdk.Runtime{{Name: "bwrap", Version: "0.8.0"}}, StatusOK, "no runtime", ""},
		{"without version", []*sdk.Runtime{{Name: "runc"}}, StatusOK, "no runtime", ""},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			e := &examination{Node: *goodNode(t), ctx: context.Background(), check: runtimeVersions().name, runtimes: test.runtimes}
			one(t, look(t, e, runtimeVersions()), test.status, test.what, test.mend)
		})
	}
}
