package bundle

import (
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestCurrentCaller(t *testing.T) {
	c, err := CurrentCaller()
	if err != nil {
		t.Fatal(err)
	}
	if c.UID != os.Geteuid() || c.GID != os.Getegid() {
		t.Errorf("caller %d:%d, want %d:%d", c.UID, c.GID, os.Geteuid(), os.Getegid())
	}
	if c.UID == 0 && c.InitialUserns && c.SubUIDs != nil {
		t.Errorf("root has subordinate ids %v", c.SubUIDs)
	}
}

func TestSubordinates(t *testing.T) {
	file := filepath.Join(t.TempDir(), "subuid")
	content := "# comment\nann:100000:65536\nbob:1:2\n 2000:300000:10 \nann:x:1\nann:1\nann:4294967295:5\nann:500000:0\nann:600000:1"
	if err := os.WriteFile(file, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	want := []Range{{100000, 65536}, {300000, 10}, {600000, 1}}
	if diff := cmp.Diff(want, subordinates(file, "ann", 2000)); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	if got := subordinates(file, "", 7); got != nil {
		t.Errorf("a user without a name gets %v", got)
	}
	if got := subordinates(file+".missing", "ann", 2000); got != nil {
		t.Errorf("a missing file grants %v", got)
	}
}

func TestRanges(t *testing.T) {
	ranges := []Range{{10, 5}, {15, 5}, {30, 1}}
	for part, want := range map[Range]bool{{10, 10}: true, {12, 6}: true, {15, 6}: false, {9, 2}: false, {30, 1}: true, {31, 1}: false} {
		if contains(ranges, part) != want {
			t.Errorf("contains(%v) is %v", part, !want)
		}
	}
	if diff := cmp.Diff([]Range{{10, 2}, {13, 2}, {15, 5}}, without(ranges, 12)[:3]); diff != "" {
		t.Errorf("without 12 (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]Range{{10, 5}, {15, 5}}, without(ranges, 30)); diff != "" {
		t.Errorf("without 30 (-want +got):\n%s", diff)
	}
	for n, want := range map[int][2][]Range{
		0:  {nil, ranges},
		5:  {{{10, 5}}, {{15, 5}, {30, 1}}},
		7:  {{{10, 5}, {15, 2}}, {{17, 3}, {30, 1}}},
		99: {ranges, nil},
	} {
		first, rest := split(ranges, n)
		if diff := cmp.Diff(want, [2][]Range{first, rest}); diff != "" {
			t.Errorf("split %d (-want +got):\n%s", n, diff)
		}
	}
}
