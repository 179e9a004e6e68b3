package test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// source is one Go file of the tree.
type source struct {
	path     string // relative to the module's root
	text     string
	ast      *ast.File
	set      *token.FileSet
	siblings []*source // the files of its package, itself included
}

// sources parses every Go file of the module and its examples.
func sources(t *testing.T) []*source {
	t.Helper()
	var all []*source
	set := token.NewFileSet()
	packages := map[string][]*source{}
	check(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() && (d.Name() == ".git" || d.Name() == "bin") {
			return fs.SkipDir
		}
		if d.IsDir() || filepath.Ext(path) != ".go" {
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		f := &source{path: strings.TrimPrefix(path, "../"), text: string(text), set: set}
		if f.ast, err = parser.ParseFile(set, f.path, text, parser.ParseComments); err != nil {
			return err
		}
		all = append(all, f)
		dir := filepath.Dir(f.path)
		packages[dir] = append(packages[dir], f)
		return nil
	}))
	for _, f := range all {
		f.siblings = packages[filepath.Dir(f.path)]
	}
	if len(all) < 100 {
		t.Fatalf("found %d files: the tree is not where this test looks", len(all))
	}
	return all
}

func (f *source) generated() bool { return ast.IsGenerated(f.ast) }

func (f *source) at(n ast.Node) string {
	p := f.set.Position(n.Pos())
	return strings.TrimPrefix(p.String(), "../")
}
