package test

import (
	"go/ast"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/berth-hpc/berth/"

// importRules say which of our packages may import what, and why: design.
var importRules = []struct {
	in, except []string // folders
	ban        string   // prefix of import paths
	allow      []string
	why        string
}{
	{in: []string{"host/"}, ban: module + "drivers", why: "drivers are programs of their own: what the host needs of one goes through sdk/client"},
	{in: []string{"drivers/"}, ban: module, allow: []string{"sdk", "sdk/plugin", "sdk/drivertest", "drivers/internal/"}, why: "a driver of ours has no means that a stranger's lacks"},
	{in: []string{"sdk/"}, ban: module, allow: []string{"sdk", "internal/nearest"}, why: "the SDK stands alone: others build drivers with it"},
	{in: []string{"sdk/"}, except: []string{"sdk/plugin/", "sdk/client/", "sdk/internal/", "sdk/drivertest/"}, ban: "", allow: []string{"github.com/opencontainers/runtime-spec/", module, "std"}, why: "package sdk is the standard library and runtime-spec, so that a driver's author sees no more"},
	{in: []string{""}, except: []string{"sdk/internal/wire/", "sdk/plugin/", "sdk/client/"}, ban: "github.com/hashicorp/go-plugin", why: "three packages know how driver and host talk; the rest must survive a change of that"},
	{in: []string{""}, except: []string{"sdk/internal/wire/", "sdk/plugin/", "sdk/client/"}, ban: "google.golang.org/", why: "three packages know how driver and host talk; the rest must survive a change of that"},
	{in: []string{"host/"}, ban: module + "sdk/plugin", why: "the host is no driver"},
	{in: []string{"host/bundle/", "host/config/", "host/state/", "host/trust/", "host/handoff/", "host/layout/"}, ban: module + "host/cli", why: "front doors depend on the rest, never the other way"},
	{in: []string{""}, ban: "log", allow: []string{"log/"}, why: "the host logs through its own logger, drivers through log/slog"},
	{in: []string{"host/dispatch/"}, ban: module + "host/cli", why: "dispatch knows no front door"},
}

func TestImportRules(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if strings.HasSuffix(f.path, "_test.go") {
			continue
		}
		for _, spec := range f.ast.Imports {
			path, err := strconv.Unquote(spec.Path.Value)
			check(t, err)
			for _, r := range importRules {
				if !under(f.path, r.in) || under(f.path, r.except) && len(r.except) > 0 || !strings.HasPrefix(path, r.ban) || allowed(path, r.allow) {
					continue
				}
				t.Errorf("%s imports %s: %s", f.path, path, r.why)
			}
		}
	}
}

func under(path string, folders []string) bool {
	return slices.ContainsFunc(folders, func(folder string) bool { return strings.HasPrefix(path, folder) })
}

func allowed(path string, allow []string) bool {
	for _, a := range allow {
		switch {
		case a == "std" && !strings.Contains(strings.SplitN(path, "/", 2)[0], "."):
			return true
		case strings.HasPrefix(path, a) || path == module+a || strings.HasPrefix(path, module+strings.TrimSuffix(a, "/")+"/"):
			return true
		}
	}
	return false
}

// bannedCalls are functions that must not be called in some places, and why.
var bannedCalls = []struct {
	call       *regexp.Regexp
	in, except []string
	tests      bool // in tests only; else in the programs only
	why        string
}{
	{call: regexp.MustCompile(`^os\.Create$`), in: []string{""}, why: "it follows links and truncates what is there: open with O_EXCL or O_NOFOLLOW"},
	{call: regexp.MustCompile(`^os\.MkdirAll$`), in: []string{"host/", "drivers/"}, why: "it follows links and trusts what is there: make one directory below an open one"},
	{call: regexp.MustCompile(`^os\.RemoveAll$`), in: []string{"host/", "drivers/"}, why: "it crosses mounts: package state removes directories"},
	{call: regexp.MustCompile(`^fmt\.Print(|f|ln)$`), in: []string{"host/", "drivers/", "sdk/"}, except: []string{"host/cli/", "host/slurm/", "host/ocicli/", "sdk/drivertest/", "sdk/plugin/"}, why: "stdout belongs to the job, and to the front doors where they answer"},
	{call: regexp.MustCompile(`\.Set(Version|Help|Usage)Template$`), in: []string{"host/"}, why: "it links text/template, which looks methods up by name, so that the linker leaves none out: 2.4 MB more for every call to map"},
	{call: regexp.MustCompile(`^(println|print)$`), in: []string{""}, why: "debugging output"},
	{call: regexp.MustCompile(`^os\.Exit$`), in: []string{"host/", "sdk/"}, except: []string{"host/main.go", "host/cli/slurm.go", "sdk/plugin/", "sdk/drivertest/"}, why: "what ends the process here skips the clean-up of its callers"},
	{call: regexp.MustCompile(`^reflect\.`), in: []string{"host/", "drivers/"}, except: []string{"drivers/internal/fieldtest/"}, why: "no reflection outside of tests"},
	{call: regexp.MustCompile(`^filepath\.EvalSymlinks$`), in: []string{"host/state/", "host/trust/"}, why: "what it resolved may have changed by the time it is opened: go by descriptors"},
}

func TestBannedCalls(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		test := strings.HasSuffix(f.path, "_test.go") || strings.Contains(f.path, "/testdata/")
		ast.Inspect(f.ast, func(n ast.Node) bool {
			call, ok := n.(*ast.CallExpr)
			if !ok {
				return true
			}
			name := callee(call)
			for _, b := range bannedCalls {
				if b.tests == test && b.call.MatchString(name) && under(f.path, b.in) && !under(f.path, b.except) {
					t.Errorf("%s: %s: %s", f.at(n), name, b.why)
				}
			}
			if !test && strings.HasPrefix(name, "exec.Command") && startsShell(call) {
				t.Errorf("%s: a shell: commands are argument lists", f.at(n))
			}
			return true
		})
	}
}

func callee(call *ast.CallExpr) string {
	switch fun := call.Fun.(type) {
	case *ast.Ident:
		if fun.Obj == nil { // not a function of the package's own
			return fun.Name
		}
	case *ast.SelectorExpr:
		if x, ok := fun.X.(*ast.Ident); ok {
			return x.Name + "." + fun.Sel.Name
		}
	}
	return ""
}

func startsShell(call *ast.CallExpr) bool {
	for _, arg := range call.Args {
		if lit, ok := arg.(*ast.BasicLit); ok && lit.Kind == token.STRING {
			text, _ := strconv.Unquote(lit.Value)
			switch filepath.Base(text) {
			case "sh", "bash", "dash", "zsh", "-c":
				return true
			}
		}
	}
	return false
}

// Standard streams are not a driver's, nor the SDK's but for its kit: the job's.
func TestDriversLeaveStdoutAlone(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if !under(f.path, []string{"drivers/", "sdk/"}) || under(f.path, []string{"sdk/drivertest/"}) || strings.HasSuffix(f.path, "_test.go") || strings.Contains(f.path, "/testdata/") {
			continue
		}
		ast.Inspect(f.ast, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				if x, ok := s.X.(*ast.Ident); ok && x.Name == "os" && (s.Sel.Name == "Stdout" || s.Sel.Name == "Stdin") {
					t.Errorf("%s: os.%s belongs to the job", f.at(n), s.Sel.Name)
				}
			}
			return true
		})
	}
}

// There is no state that outlives a call: no init functions, and no package variables that change.
func TestNoGlobalState(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if strings.HasSuffix(f.path, "_test.go") || f.generated() {
			continue
		}
		for _, decl := range f.ast.Decls {
			switch d := decl.(type) {
			case *ast.FuncDecl:
				if d.Recv == nil && d.Name.Name == "init" {
					t.Errorf("%s: an init function: do it where it is needed", f.at(d))
				}
			case *ast.GenDecl:
				if d.Tok == token.VAR {
					f.checkVariables(t, d)
				}
			}
		}
	}
}

// checkVariables accepts what no code assigns to: errors, patterns, tables, interface assertions and
// embedded files.
func (f *source) checkVariables(t *testing.T, d *ast.GenDecl) {
	for _, spec := range d.Specs {
		v := spec.(*ast.ValueSpec)
		for _, name := range v.Names {
			if name.Name == "_" || f.embeds(d) {
				continue
			}
			if len(v.Values) == 0 {
				t.Errorf("%s: package variable %s has no value, so somebody sets it", f.at(v), name.Name)
			}
			for _, other := range f.siblings {
				if at := other.assigns(name.Name); at != "" {
					t.Errorf("%s: package variable %s is changed at %s", f.at(v), name.Name, at)
				}
			}
		}
	}
}

func (f *source) embeds(d *ast.GenDecl) bool {
	return d.Doc != nil && slices.ContainsFunc(d.Doc.List, func(c *ast.Comment) bool { return strings.HasPrefix(c.Text, "//go:embed") })
}

// assigns says where a package variable is assigned to, if it is: names that functions declare
// themselves are not it.
func (f *source) assigns(name string) (at string) {
	if strings.HasSuffix(f.path, "_test.go") {
		return ""
	}
	ast.Inspect(f.ast, func(n ast.Node) bool {
		a, ok := n.(*ast.AssignStmt)
		if !ok || a.Tok == token.DEFINE {
			return true
		}
		for _, left := range a.Lhs {
			if id, ok := left.(*ast.Ident); ok && id.Name == name && (id.Obj == nil || id.Obj.Kind == ast.Var && isPackageVariable(id.Obj)) {
				at = f.at(a)
			}
		}
		return true
	})
	return at
}

func isPackageVariable(o *ast.Object) bool {
	v, ok := o.Decl.(*ast.ValueSpec)
	return ok && v.Pos().IsValid() && o.Data != nil
}

// Files are small: one idea each.
func TestFilesAreSmall(t *testing.T) {
	t.Parallel()
	for _, f := range sources(t) {
		if lines := strings.Count(f.text, "\n"); lines > 400 && !f.generated() {
			t.Errorf("%s has %d lines: find the second idea in it", f.path, lines)
		}
		switch filepath.Base(f.path) {
		case "utils.go", "util.go", "common.go", "helpers.go", "types.go":
			t.Errorf("%s: name the file for its idea", f.path)
		}
	}
}

// Every package says what it is.
func TestPackagesAreDocumented(t *testing.T) {
	t.Parallel()
	documented := map[string]bool{}
	for _, f := range sources(t) {
		dir := filepath.Dir(f.path)
		if strings.Contains(dir, "testdata") || f.generated() {
			continue
		}
		if _, ok := documented[dir]; !ok {
			documented[dir] = false
		}
		documented[dir] = documented[dir] || f.ast.Doc != nil
	}
	for dir, ok := range documented {
		if !ok {
			t.Errorf("package %s has no comment", dir)
		}
	}
}

// The texts speak of berth, not of the machine that somebody wrote them on.
func TestNoMachinePaths(t *testing.T) {
	t.Parallel()
	machine := regexp.MustCompile(`(?m)(^|[\s"'=(:])/(` + `work/(main|shared)|root/(go|\.cache)|tmp/integ)`)
	check(t, filepath.WalkDir("..", func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && (d.Name() == ".git" || d.Name() == "bin"):
			return fs.SkipDir
		case !d.Type().IsRegular() || strings.HasPrefix(path, "../berth-sites-"):
			return nil
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if where := machine.FindString(string(text)); where != "" {
			t.Errorf("%s names %q", strings.TrimPrefix(path, "../"), strings.TrimSpace(where))
		}
		return nil
	}))
}
