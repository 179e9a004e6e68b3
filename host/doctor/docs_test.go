package doctor

import (
	"fmt"
	"os"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/internal/golden"
)

const docs = "../../docs/doctor.md"

// lists is the part of the documentation that the code decides: everything from its heading on.
func lists() string {
	var b strings.Builder
	b.WriteString("## The checks\n")
	for _, c := range checks() {
		fmt.Fprintf(&b, "\n### %s\n%s\n\n| finding | status | why it matters | what mends it |\n|---|---|---|---|\n", c.name, c.about)
		for _, f := range c.faults {
			fmt.Fprintf(&b, "| %s | %s | %s | `%s` |\n", f.when, f.status, f.why, f.mend)
		}
	}
	b.WriteString("\n## Known vulnerabilities\n\n| runtime | older than | vulnerability | what it allows |\n|---|---|---|---|\n")
	for _, p := range products() {
		for _, f := range p.flaws {
			fixed := strings.Join(f.fixed, ", ")
			if f.since != "" {
				fixed += ", from " + f.since + " on"
			}
			fmt.Fprintf(&b, "| %s | %s | %s | %s |\n", strings.Join(p.names, ", "), fixed, strings.Join(f.ids, ", "), f.what)
		}
	}
	return b.String()
}

func TestDocsListEveryCheck(t *testing.T) {
	data, err := os.ReadFile(docs)
	must(t, err)
	prose, got, ok := strings.Cut(string(data), "## The checks\n")
	if !ok {
		t.Fatalf("%s has no heading \"The checks\"", docs)
	}
	if golden.Updating() {
		must(t, os.WriteFile(docs, []byte(prose+lists()), 0o644))
		return
	}
	if diff := cmp.Diff(lists(), "## The checks\n"+got); diff != "" {
		t.Errorf("%s does not say what the code does; BERTH_UPDATE=yes writes it anew:\n%s", docs, diff)
	}
}

// TestTexts holds the texts of all faults to what a reader needs, also of those that no test makes.
func TestTexts(t *testing.T) {
	name := regexp.MustCompile(`^[a-z]+(-[a-z]+)*$`)
	fill := []string{"DIR", "/d", "FILE", "/f", "MOUNT", "/m", "FIRST-LAST", "1-2", "USER", "u", "KIND", "k",
		"PACKAGE", "p", "INSTALL", "apt-get install", "UPGRADE", "apt-get install --only-upgrade", "BERTH", "/b", "NAME", "n"}
	seen := map[string]bool{}
	for _, c := range checks() {
		if !name.MatchString(c.name) || seen[c.name] || !strings.HasSuffix(c.about, ".") || strings.ContainsAny(c.about, "\n|") {
			t.Errorf("check %q: %q", c.name, c.about)
		}
		seen[c.name] = true
		if len(c.faults) == 0 {
			t.Errorf("%s can find nothing wrong", c.name)
		}
		for _, f := range c.faults {
			for _, text := range []string{f.when, f.why, f.mend} {
				if text == "" || strings.ContainsAny(text, "\n|") || strings.HasSuffix(text, ".") || line(text) != text {
					t.Errorf("%s: %q is no clause on one line", c.name, text)
				}
			}
			if f.status == StatusOK || f.status.rank() < 0 {
				t.Errorf("%s: status %q of a fault", c.name, f.status)
			}
			if err := oneCommand(strings.NewReplacer(fill...).Replace(f.mend)); err != "" {
				t.Errorf("%s: mend %q: %s", c.name, f.mend, err)
			}
		}
	}
}
