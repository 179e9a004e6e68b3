package ociruntime

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"

	"github.com/berth-hpc/berth/sdk"
)

// kindNames are the kinds as the names of the recorded messages begin with them.
func kindNames() map[string]error {
	return map[string]error{
		"not-found": sdk.ErrNotFound, "exists": sdk.ErrExists, "state": sdk.ErrState, "invalid": sdk.ErrInvalid,
		"unsupported": sdk.ErrUnsupported, "unavailable": sdk.ErrUnavailable, "damaged": errDamaged, "none": nil,
	}
}

func TestRecordedMessagesHaveTheirKind(t *testing.T) {
	for _, r := range []Runtime{Runc(), Crun()} {
		files, err := filepath.Glob("testdata/messages/" + r.name + "/*.txt")
		if err != nil || len(files) == 0 {
			t.Fatalf("no recorded messages of %s: %v", r.name, err)
		}
		for _, file := range files {
			name, _, _ := strings.Cut(filepath.Base(file), ".")
			want, known := kindNames()[name]
			if !known {
				t.Errorf("%s: the name begins with no kind", file)
			}
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			got := r.classify(string(text))
			if kind := r.kind(got.Error()); kind != want || want != nil && !errors.Is(got, want) {
				t.Errorf("%s: %q is of kind %v, want %v", file, got, kind, want)
			}
		}
	}
}

func TestSaid(t *testing.T) {
	for _, test := range []struct{ name, stderr, want string }{
		{"nothing", "", "no reason given"},
		{"only warnings", `time="x" level=warning msg="hm"`, "no reason given"},
		{"error beside a warning", "time=\"x\" level=warning msg=\"hm\"\ntime=\"x\" level=error msg=\"it \\\"broke\\\"\"\n", `it "broke"`},
		{"unquoted", "time=x level=error msg=EOF\n", "EOF"},
		{"plain lines", "one\n\n  two\n", "one; two"},
		{"escape codes", "\x1b[31mred\x00\xff", "[31mred ?"},
		{"long", strings.Repeat("x", 2*maxWords), strings.Repeat("x", maxWords) + "…"},
	} {
		t.Run(test.name, func(t *testing.T) {
			if diff := cmp.Diff(test.want, said(test.stderr)); diff != "" {
				t.Error(diff)
			}
		})
	}
}

func TestAdviceForMessages(t *testing.T) {
	if got := sdk.Advice(Crun().classify("unknown version specified")); got != "upgrade crun, or lower ociVersion in config.json" {
		t.Errorf("advice for a version that crun does not know: %q", got)
	}
	if got := sdk.Advice(Runc().classify("unexpected EOF")); !strings.Contains(got, "delete --force") {
		t.Errorf("advice for a damaged state: %q", got)
	}
}

func FuzzSaid(f *testing.F) {
	f.Add("time=\"x\" level=error msg=\"a\\n\\x00b\"\nplain")
	f.Fuzz(func(t *testing.T, stderr string) {
		got := said(stderr)
		if got == "" && strings.TrimSpace(stderr) == "" {
			t.Error("an error without words")
		}
		if len(got) > maxWords+len("…") {
			t.Errorf("%d bytes", len(got))
		}
		if i := strings.IndexFunc(got, func(r rune) bool { return !unicode.IsPrint(r) }); i >= 0 {
			t.Errorf("unprintable at %d of %q", i, got)
		}
	})
}
