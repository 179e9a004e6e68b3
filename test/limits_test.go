package test

import (
	"fmt"
	"go/ast"
	"go/token"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"
)

const limitsDoc = "../docs/limits.md"

// Every time that is written in the product is in docs/limits.md with its value, and nothing else is: who adds a
// limit says there what it does on a node that is slow or busy.
func TestLimitsAreDocumented(t *testing.T) {
	t.Parallel()
	written := times(t)
	told := toldTimes(t)
	for _, name := range slices.Sorted(maps.Keys(written)) {
		switch value, ok := told[name]; {
		case !ok:
			t.Errorf("%s says nothing of %s, %s", limitsDoc, name, written[name])
		case value != written[name]:
			t.Errorf("%s says that %s is %s: it is %s", limitsDoc, name, value, written[name])
		}
	}
	for _, name := range slices.Sorted(maps.Keys(told)) {
		if written[name] == "" {
			t.Errorf("%s tells of %s, which is not there", limitsDoc, name)
		}
	}
}

// Waits are bounded by sdk/limit, which asks for the node's load before it gives something up. These are the others.
func TestLimitsGrow(t *testing.T) {
	t.Parallel()
	fixed := regexp.MustCompile(`^(context\.With(Timeout|Deadline)(Cause)?|time\.(After|AfterFunc|NewTimer|NewTicker|Tick|Sleep))$`)
	reasons := map[string]string{
		"sdk/limit/limit.go":             "it is where limits grow",
		"host/cli/slurm.go":              "Slurm's own limit is fixed",
		"host/handoff/pass.go":           "Slurm's own limit is fixed",
		"host/dispatch/wait.go":          "a pause",
		"host/dispatch/prepare.go":       "a pause",
		"host/state/lock.go":             "a pause",
		"host/state/create.go":           "a pause",
		"host/handoff/strays.go":         "a pause",
		"host/ocicli/events.go":          "a pause",
		"drivers/slurm/steps.go":         "a pause",
		"drivers/singularity/ocicall.go": "a pause",
	}
	used := map[string]bool{}
	for _, f := range sources(t) {
		if !isProduct(f) {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if call, ok := n.(*ast.CallExpr); ok && fixed.MatchString(callee(call)) {
				used[f.path] = true
				if reasons[f.path] == "" {
					t.Errorf("%s: %s: a limit that does not grow with the load: use sdk/limit, or say here why not", f.at(n), callee(call))
				}
			}
			return true
		})
	}
	for path := range reasons {
		if !used[path] {
			t.Errorf("%s has no fixed limit any more", path)
		}
	}
}

// isProduct says whether a file is of what is installed. The conformance kit is a test.
func isProduct(f *source) bool {
	return under(f.path, []string{"host/", "sdk/", "drivers/"}) && !under(f.path, []string{"sdk/drivertest/"}) &&
		!strings.HasSuffix(f.path, "_test.go") && !strings.Contains(f.path, "/testdata/")
}

// toldTimes reads the rows "| `FILE` NAME | VALUE | …", all of whose cells say something.
func toldTimes(t *testing.T) map[string]string {
	text, err := os.ReadFile(limitsDoc)
	check(t, err)
	told := map[string]string{}
	for line := range strings.Lines(string(text)) {
		cells := strings.Split(strings.Trim(strings.TrimSpace(line), "|"), "|")
		file, name, ok := strings.Cut(strings.TrimPrefix(strings.TrimSpace(cells[0]), "`"), "` ")
		if !ok || len(cells) < 2 || !strings.Contains(file, "/") {
			continue
		}
		if told[file+" "+name] != "" {
			t.Errorf("%s tells of %s %s twice", limitsDoc, file, name)
		}
		told[file+" "+name] = strings.TrimSpace(cells[1])
		for _, cell := range cells {
			if strings.TrimSpace(cell) == "" {
				t.Errorf("%s leaves a cell empty for %s %s", limitsDoc, file, name)
			}
		}
	}
	return told
}

// times are the times in the product's own code: "host/state/create.go patience" is "2s".
func times(t *testing.T) map[string]string {
	found := map[string][]string{}
	for _, f := range sources(t) {
		if !isProduct(f) {
			continue
		}
		w := timesIn{file: f, found: found}
		for _, decl := range f.ast.Decls {
			w.visit(decl, "")
		}
	}
	for name, value := range timesInC(t) {
		found[name] = append(found[name], value)
	}
	all := map[string]string{}
	for name, values := range found {
		all[name] = strings.Join(values, ", ")
	}
	return all
}

type timesIn struct {
	file  *source
	found map[string][]string
}

// visit looks for times in n, which belongs to what is called name.
func (w *timesIn) visit(n ast.Node, name string) {
	ast.Inspect(n, func(m ast.Node) bool {
		switch m := m.(type) {
		case *ast.FuncDecl:
			if m != n {
				return true
			}
			name = m.Name.Name
		case *ast.ValueSpec:
			for i, value := range m.Values {
				w.visit(value, m.Names[min(i, len(m.Names)-1)].Name)
			}
			return false
		case *ast.KeyValueExpr:
			if key, ok := m.Key.(*ast.Ident); ok {
				w.visit(m.Value, key.Name)
				return false
			}
		case *ast.AssignStmt:
			if field, ok := m.Lhs[0].(*ast.SelectorExpr); ok {
				w.visit(m.Rhs[0], field.Sel.Name)
				return false
			}
		case *ast.CallExpr:
			if callee(m) == "unix.Poll" && !bare(m.Args[1]) {
				w.found[w.file.path+" "+name] = append(w.found[w.file.path+" "+name], "a number of milliseconds: write it as a time")
			}
		case ast.Expr:
			if d, ok := duration(m); ok {
				if d > 0 {
					w.found[w.file.path+" "+name] = append(w.found[w.file.path+" "+name], plainly(d))
				}
				return false
			}
		}
		return true
	})
}

// bare says whether the last argument of poll(2) is no time of its own: 0, -1, or computed from a name.
func bare(arg ast.Expr) bool {
	lit, ok := arg.(*ast.BasicLit)
	return !ok || lit.Value == "0"
}

// duration evaluates "time.Second" and "5 * time.Second". What is multiplied by a variable has the unit for
// a unit, and is no time: 0.
func duration(e ast.Expr) (time.Duration, bool) {
	units := map[string]time.Duration{"Nanosecond": 1, "Microsecond": time.Microsecond, "Millisecond": time.Millisecond,
		"Second": time.Second, "Minute": time.Minute, "Hour": time.Hour}
	switch e := e.(type) {
	case *ast.SelectorExpr:
		if x, ok := e.X.(*ast.Ident); ok && x.Name == "time" {
			unit, ok := units[e.Sel.Name]
			return unit, ok
		}
	case *ast.BinaryExpr:
		if e.Op != token.MUL {
			return 0, false
		}
		unit, ok := duration(e.Y)
		return time.Duration(factorOf(e.X)) * unit, ok
	}
	return 0, false
}

func factorOf(e ast.Expr) int {
	switch e := e.(type) {
	case *ast.BasicLit:
		n, _ := strconv.Atoi(e.Value)
		return n
	case *ast.BinaryExpr:
		if e.Op == token.MUL {
			return factorOf(e.X) * factorOf(e.Y)
		}
	}
	return 0
}

// timesInC reads berth-init's "#define NAME_TAKES 2", in seconds, or in milliseconds from 1000 on.
func timesInC(t *testing.T) map[string]string {
	files, err := filepath.Glob("../init/*.c")
	check(t, err)
	found := map[string]string{}
	for _, file := range files {
		text, err := os.ReadFile(file)
		check(t, err)
		for _, m := range regexp.MustCompile(`(?m)^#define (\w+_TAKES) (\d+)$`).FindAllStringSubmatch(string(text), -1) {
			n, _ := strconv.Atoi(m[2])
			unit := time.Second
			if n >= 1000 {
				unit = time.Millisecond
			}
			found[strings.TrimPrefix(file, "../")+" "+m[1]] = plainly(time.Duration(n) * unit)
		}
	}
	return found
}

// plainly is a duration without zeros: 1m instead of 1m0s.
func plainly(d time.Duration) string {
	text := fmt.Sprint(d)
	if strings.HasSuffix(text, "m0s") {
		text = strings.TrimSuffix(text, "0s")
	}
	if strings.HasSuffix(text, "h0m") {
		text = strings.TrimSuffix(text, "0m")
	}
	return text
}
