// Package golden compares what a test got with a file that holds what it should be.
package golden

import (
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// Updating says whether the files are to be written anew: BERTH_UPDATE=yes go test ./….
func Updating() bool { return os.Getenv("BERTH_UPDATE") == "yes" }

// Check compares got with the file, which it writes first where files are to be written anew.
func Check(t testing.TB, file, got string) {
	t.Helper()
	if Updating() {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got; BERTH_UPDATE=yes writes it anew):\n%s", file, diff)
	}
}
