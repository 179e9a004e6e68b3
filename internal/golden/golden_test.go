package golden_test

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/berth-hpc/berth/internal/golden"
)

// failures counts what a test would report.
type failures struct {
	testing.TB
	errors int
}

func (f *failures) Helper()               {}
func (f *failures) Errorf(string, ...any) { f.errors++ }

func TestCheck(t *testing.T) {
	file := filepath.Join(t.TempDir(), "golden")
	t.Setenv("BERTH_UPDATE", "yes")
	golden.Check(t, file, "text\n")
	t.Setenv("BERTH_UPDATE", "")
	golden.Check(t, file, "text\n")
	f := &failures{TB: t}
	golden.Check(f, file, "other\n")
	if f.errors != 1 {
		t.Errorf("%d errors for another text instead of 1", f.errors)
	}
	if text, err := os.ReadFile(file); err != nil || string(text) != "text\n" {
		t.Errorf("the file was written without being asked for: %q, %v", text, err)
	}
}
