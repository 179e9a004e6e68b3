package bundle

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"
)

// TestChangesDocumented: docs/effective-bundle.md explains every reason for a change, and the
// golden files show each.
func TestChangesDocumented(t *testing.T) {
	docs := readAll(t, "../../docs/effective-bundle.md")
	golden := readAll(t, "testdata/golden/*.txt")
	for _, why := range reasons(t) {
		if !strings.Contains(docs, "| "+why+" |") {
			t.Errorf("docs/effective-bundle.md has no row for the reason %q", why)
		}
		// What depends on the node's file systems is tested where it is made.
		if onNode := why == whyNoNodeMount || why == whySourceFlags || why == whySourceAtime; !onNode && !strings.Contains(golden, ": "+why+"\n") {
			t.Errorf("no golden file shows the reason %q", why)
		}
	}
}

// reasons returns the value of every constant why… of change.go.
func reasons(t *testing.T) []string {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "change.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	var texts []string
	ast.Inspect(file, func(n ast.Node) bool {
		if spec, ok := n.(*ast.ValueSpec); ok {
			text, err := strconv.Unquote(spec.Values[0].(*ast.BasicLit).Value)
			if err != nil {
				t.Fatal(err)
			}
			texts = append(texts, text)
		}
		return true
	})
	if len(texts) < 20 {
		t.Fatalf("found only %d reasons", len(texts))
	}
	return texts
}

func readAll(t *testing.T, pattern string) string {
	t.Helper()
	files, err := filepath.Glob(pattern)
	if err != nil || len(files) == 0 {
		t.Fatalf("no file matches %s: %v", pattern, err)
	}
	var all strings.Builder
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		all.Write(data)
	}
	return all.String()
}

// TestChangesComplete: without a change reported, the document is the source's.
func TestChangesComplete(t *testing.T) {
	dir := write(t, "rootless-own")
	data, err := os.ReadFile(filepath.Join(dir, "config.json"))
	if err != nil {
		t.Fatal(err)
	}
	config := strings.Replace(string(data), `"rootfs"`, strconv.Quote(dir+"/rootfs"), 1)
	b := adapt(t, config, Options{Caller: Caller{UID: 0, InitialUserns: true}})
	if len(b.Changes()) > 0 {
		t.Errorf("changes %v", b.Changes())
	}
	if got := string(b.JSON()); got != config {
		t.Errorf("no change is reported, but the document is another:\n%s", got)
	}
}
