package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
)

// pkg is a package that has tests.
type pkg struct {
	path  string // import path
	dir   string
	files []string // its test files
}

const module = "github.com/berth-hpc/berth"

// name is the package's folder below the module's root, "." for the root itself.
func (p pkg) name() string { return strings.TrimPrefix(strings.TrimPrefix(p.path, module), "/") }

// packages lists the packages with tests that match the patterns of go list; without one, all.
func packages(patterns ...string) ([]pkg, error) {
	if len(patterns) == 0 {
		patterns = []string{"./..."}
	}
	cmd := exec.Command("go", append([]string{"list", "-json=ImportPath,Dir,TestGoFiles,XTestGoFiles"}, patterns...)...)
	var errs bytes.Buffer
	cmd.Stderr = &errs
	out, err := cmd.Output()
	if err != nil {
		return nil, fmt.Errorf("listing packages: %w: %s", err, strings.TrimSpace(errs.String()))
	}
	var found []pkg
	for dec := json.NewDecoder(bytes.NewReader(out)); ; {
		var l struct {
			ImportPath, Dir           string
			TestGoFiles, XTestGoFiles []string
		}
		if err := dec.Decode(&l); err == io.EOF {
			return found, nil
		} else if err != nil {
			return nil, fmt.Errorf("listing packages: %w", err)
		}
		if files := append(l.TestGoFiles, l.XTestGoFiles...); len(files) > 0 {
			found = append(found, pkg{l.ImportPath, l.Dir, files})
		}
	}
}

// has says whether the package has a test that run, as go test -run takes it, selects.
func (p pkg) has(run string) (bool, error) {
	top, _, _ := strings.Cut(run, "/")
	wanted, err := regexp.Compile(top)
	if err != nil {
		return false, fmt.Errorf("RUN=%s: %w", run, err)
	}
	tests, err := p.functions("Test")
	return slices.ContainsFunc(tests, wanted.MatchString), err
}

// functions are the names of the package's test functions with this prefix: Test, Fuzz.
func (p pkg) functions(prefix string) (names []string, err error) {
	for _, file := range p.files {
		parsed, err := parser.ParseFile(token.NewFileSet(), filepath.Join(p.dir, file), nil, parser.SkipObjectResolution)
		if err != nil {
			return nil, err
		}
		for _, d := range parsed.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Recv == nil && strings.HasPrefix(f.Name.Name, prefix) {
				names = append(names, f.Name.Name)
			}
		}
	}
	return names, nil
}

// groups divides packages so that in each group every folder has a name of its own: go test -c takes
// several packages at once and names each program after its folder.
func groups(all []pkg) [][]pkg {
	var out [][]pkg
	for _, p := range all {
		i := slices.IndexFunc(out, func(g []pkg) bool {
			return !slices.ContainsFunc(g, func(q pkg) bool { return filepath.Base(q.path) == filepath.Base(p.path) })
		})
		if i < 0 {
			i = len(out)
			out = append(out, nil)
		}
		out[i] = append(out[i], p)
	}
	return out
}
