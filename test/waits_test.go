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
	{"sdk/drivertest/wait.go", "until", "the limit is the case's, which grows with the load"},
	{"sdk/drivertest/internal/launcher/launcher.go", "plan", "the kit ends it: the limit is for one that nobody ends"},
	{"sdk/drivertest/internal/launcher/launcher.go", "hold", "it waits to be killed"},
	{"sdk/drivertest/internal/launcher/supervise.go", "call", "the kit ends it: the limit is for one that nobody ends"},
	{"sdk/drivertest/internal/probe/signals.go", "die", "it waits to be killed"},
	{"sdk/limit/limit_test.go", "", "its clock is that of testing/synctest, which no machine can hold up"},
	{"sdk/client/hostile_test.go", "hang", "it waits to be killed"},
	{"sdk/client/hostile_driver_test.go", "act", "the moment after an answer is what is tested"},
	{"drivers/internal/capture/capture_test.go", "TestMain", "it waits to be killed"},
	{"drivers/internal/ociruntime/call_test.go", "TestHangingRuntimeEndsWithTheCall", "the limit is what is tested: what it ends hangs"},
	{"host/state/container_test.go", "TestLock", "the limit is what is tested: what it ends hangs"},
	{"host/state/process_test.go", "", "the limit is what is tested: what it ends hangs"},
	{"host/state/race_test.go", "TestKilledAtAnyPoint", "a process may be killed at any moment, and what holds then must hold at every one"},
	{"host/handoff/handoff_test.go", "", "a signal may come at any moment, and what holds then must hold at every one"},
	{"test/slurm/cancel_test.go", "", "a job may be cancelled at any moment, and what holds then must hold at every one"},
	{"test/slurm/cluster/cluster.go", "until", "the limit is its caller's, await.End"},
}

// measures are folders that measure, and decide nothing.
var measures = []string{"test/bench/"}

func TestNoTestGoesByTheClock(t *testing.T) {
	t.Parallel()
	used := make([]bool, len(clockUses))
	for _, f := range sources(t) {
		if !strings.HasSuffix(f.path, "_test.go") && !under(f.path, []string{"test/", "sdk/drivertest/", "internal/await/"}) || under(f.path, measures) {
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
