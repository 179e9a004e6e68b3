package drivertest

import (
	"cmp"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
)

// TestingT is what the kit needs of T, which is *testing.T. Naming its methods rather than it
// keeps package testing out of programs that run the kit themselves.
type TestingT[T any] interface {
	Helper()
	Context() context.Context
	TempDir() string
	Run(name string, f func(T)) bool
	Log(args ...any)
	Error(args ...any)
	Fatal(args ...any)
	Skip(args ...any)
}

// Run tests the driver, each case as a subtest. Where cfg.Program or cfg.Probe is empty it is built with
// the go command. A lack of Isolation or Capabilities must be declared.
func Run[T TestingT[T]](t T, cfg Config) {
	t.Helper()
	if cfg.Program == "" || cfg.Probe == "" {
		dir := t.TempDir()
		if err := buildPrograms(t.Context(), dir); err != nil {
			t.Fatal(err)
		}
		cfg.Program = cmp.Or(cfg.Program, filepath.Join(dir, "launch"))
		cfg.Probe = cmp.Or(cfg.Probe, filepath.Join(dir, "probe"))
	}
	k, err := newKit(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	defer k.close()
	if feature, refusal := k.undeclared(t.Context()); feature != "" {
		t.Fatal(fmt.Sprintf("the driver isolates less than a bundle asks for: declare in Config.Lacks that it lacks %q: %s", feature, refusal))
	}
	for i, c := range Cases() {
		t.Run(c.Name, func(t T) {
			result := k.try(t.Context(), c, i)
			for _, line := range result.Text(true) {
				switch result.Status() {
				case Fail:
					t.Error(line)
				default:
					t.Log(line)
				}
			}
			if result.Status() == Skip {
				t.Skip(result.Skipped)
			}
		})
	}
}

// buildPrograms builds the kit's programs from the module that the tests were built from.
func buildPrograms(ctx context.Context, dir string) error {
	const kit = "github.com/berth-hpc/berth/sdk/drivertest/"
	build := exec.CommandContext(ctx, "go", "build", "-trimpath", "-tags=grpcnotrace", "-ldflags=-s -w", "-o", dir+"/", kit+"launch", kit+"probe")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("building the kit's programs: %w: %s", err, strings.TrimSpace(string(out)))
	}
	return nil
}

// Test tests the driver without package testing: it runs the cases whose names filter matches
// (nil: all) and calls report after each. Where the driver rightly refuses what every bundle asks for,
// Isolation or Capabilities, without a word in cfg.Lacks, the cases ask for less. The error says why the kit could not run at all; it is
// an sdk.ErrInvalid where the configuration is to blame.
func Test(ctx context.Context, cfg Config, filter *regexp.Regexp, report func(Result)) (Summary, error) {
	var sum Summary
	if cfg.Program == "" {
		self, err := os.Executable()
		if err != nil {
			return sum, fmt.Errorf("finding the running program: %w", err)
		}
		cfg.Program = self
	}
	k, err := newKit(ctx, cfg)
	if err != nil {
		return sum, err
	}
	defer k.close()
	sum.Undeclared, sum.Refusal = k.undeclared(ctx)
	for i, c := range Cases() {
		if ctx.Err() != nil {
			return sum, ctx.Err()
		}
		if filter != nil && !filter.MatchString(c.Name) {
			continue
		}
		result := k.try(ctx, c, i)
		sum.add(&result)
		report(result)
	}
	return sum, nil
}
