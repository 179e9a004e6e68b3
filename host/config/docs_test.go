package config

import (
	"fmt"
	"os"
	"regexp"
	"slices"
	"strings"
	"testing"
)

const docs = "../../docs/config.md"

func readDocs(t *testing.T) string {
	t.Helper()
	data, err := os.ReadFile(docs)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// section is the part of the documentation that explains one table of the file.
type section struct {
	heading string
	keys    table
}

func sections() []section {
	top := section{heading: "### Above the first table"}
	all := []section{}
	for _, k := range Default().keys() {
		switch v := k.value.(type) {
		case scalar:
			top.keys = append(top.keys, k)
		case table:
			all = append(all, section{"### [" + k.name + "]", v})
		case drivers:
			all = append(all, section{"### [" + k.name + ".NAME]", new(Driver).keys()})
		case rules:
			all = append(all, section{"### [[" + k.name + "]]", new(Rule).keys()})
		}
	}
	return slices.Insert(all, 0, top)
}

// row is how the documentation has to show a key.
func row(k key) string {
	v, initial := k.value.(scalar), "–"
	if !v.unset() {
		initial = "`" + v.literal() + "`"
	}
	var of string
	switch v.(type) {
	case text:
		of = "string"
	case list:
		of = "array of strings"
	case duration:
		of = "duration"
	case toggle:
		of = "boolean"
	}
	return fmt.Sprintf("| `%s` | %s | %s | %s |", k.name, of, initial, k.doc)
}

func TestDocsExplainEveryKey(t *testing.T) {
	text := readDocs(t)
	for _, s := range sections() {
		_, part, found := strings.Cut(text, "\n"+s.heading+"\n")
		if !found {
			t.Errorf("%s has no heading %q", docs, s.heading)
			continue
		}
		part, _, _ = strings.Cut(part, "\n#")
		var got, want []string
		for line := range strings.Lines(part) {
			if strings.HasPrefix(line, "| `") {
				got = append(got, strings.TrimSpace(line))
			}
		}
		for _, k := range s.keys {
			want = append(want, row(k))
		}
		if !slices.Equal(got, want) {
			t.Errorf("%s, below %q: the rows have to be\n%s\nand are\n%s", docs, s.heading, strings.Join(want, "\n"), strings.Join(got, "\n"))
		}
	}
}

func TestDocsExplainEveryTable(t *testing.T) {
	text := readDocs(t)
	for _, k := range Default().keys() {
		if _, ok := k.value.(scalar); !ok && !strings.Contains(text, "\n"+sentence(k.doc)+"\n") {
			t.Errorf("%s does not say on a line: %s", docs, sentence(k.doc))
		}
	}
}

func sentence(doc string) string { return strings.ToUpper(doc[:1]) + doc[1:] + "." }

// TestDocsExamples reads every example. One that a block of text follows is there for its errors.
func TestDocsExamples(t *testing.T) {
	blocks := regexp.MustCompile("(?s)```toml\n(.*?)```(?:\n+```text\n(.*?)```)?").FindAllStringSubmatch(readDocs(t), -1)
	if len(blocks) < 5 {
		t.Fatalf("%s has only %d examples", docs, len(blocks))
	}
	for _, block := range blocks {
		file, want := block[1], strings.TrimSpace(block[2])
		_, err := Parse(sitePath, []byte(file))
		got := ""
		if err != nil {
			got = lines(err)
		}
		if got != want {
			t.Errorf("%s\ngives\n%s\nand is said to give\n%s", file, got, want)
		}
	}
}

// TestKeys holds the list of keys to what the file's syntax and a reader need.
func TestKeys(t *testing.T) {
	for _, s := range sections() {
		var names []string
		for _, k := range s.keys {
			if _, ok := k.value.(scalar); !ok {
				t.Errorf("%s: %s is not a scalar", s.heading, k.name)
			}
			if k.doc == "" || strings.ContainsAny(k.doc, "|\n") || strings.HasSuffix(k.doc, ".") && !strings.HasSuffix(k.doc, "..") {
				t.Errorf("%s: the explanation of %s is no phrase: %q", s.heading, k.name, k.doc)
			}
			if bare(k.name) != k.name || strings.ToLower(k.name) != k.name || slices.Contains(names, k.name) {
				t.Errorf("%s: %q is no good name for a key", s.heading, k.name)
			}
			names = append(names, k.name)
		}
	}
	tables := false
	for _, k := range Default().keys() {
		_, isScalar := k.value.(scalar)
		if isScalar && tables {
			t.Errorf("%s stands after a table, where Show cannot write it", k.name)
		}
		tables = tables || !isScalar
	}
}
