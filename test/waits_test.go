package test

import (
	"go/ast"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// clocks are calls by which the wall clock decides: waiting a while, or no longer than a while. Tests wait by package
// internal/await, for what happens.
var clocks = regexp.MustCompile(`^(time\.(Sleep|After|AfterFunc|NewTimer|NewTicker|Tick)|context\.With(Timeout|Deadline)(Cause)?)$`)

// clockUses are the functions of tests that may call one all the same, and why.
var clockUses = []struct{ file, function, why string }{
	{"internal/await/await.go", "", "it is the package that waits: its limit is the test program's own"},
	{"test/call_test.go", "do", "the limit is the test program's own, await.End"},
	{"test/terminal_test.go", "bounded", "the limit is the test program's own, await.End"},
	{"test/oci/box_test.go", "wait", "the limit is the test program's own, await.End"},
	{"test/campaign_test.go", "sometime", "a campaign does things at random moments"},
	{"test/suite/run.go", "do", "the limit of the whole program is what it sets"},
	{"test/preparer_test.go", "Prepare", "a driver whose work takes long is what is tested"},
}

// unconverted are folders whose tests still go by the clock.
var unconverted = []string{"sdk/", "host/", "drivers/", "init/", "examples/", "test/slurm/", "test/callers/", "test/bench/"}

func TestNoTestGoesByTheClock(t *testing.T) {
	t.Parallel()
	used := make([]bool, len(clockUses))
	for _, f := range sources(t) {
		if !strings.HasSuffix(f.path, "_test.go") && !under(f.path, []string{"test/", "sdk/drivertest/", "internal/await/"}) || under(f.path, unconverted) {
			continue
		}
		for _, decl := range f.ast.Decls {
			function := ""
			if d, ok := decl.(*ast.FuncDecl); ok {
				function = d.Name.Name
			}
			ast.Inspect(decl, func(n ast.Node) bool {
				call, ok := n.(*ast.CallExpr)
				if !ok || !clocks.MatchString(callee(call)) {
					return true
				}
				i := slices.IndexFunc(clockUses, func(u struct{ file, function, why string }) bool {
					return u.file == f.path && (u.function == "" || u.function == function)
				})
				if i < 0 {
					t.Errorf("%s: %s: a test waits for what happens (internal/await), or says in clockUses why not", f.at(n), callee(call))
				} else {
					used[i] = true
				}
				return true
			})
		}
	}
	for i, u := range clockUses {
		if !used[i] {
			t.Errorf("clockUses names %s of %s, which does not go by the clock", u.function, u.file)
		}
	}
}
