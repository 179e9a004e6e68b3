package bundle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/opencontainers/runtime-spec/specs-go"
)

// FuzzLoad holds what Load takes against the specification's own types: runc reads our
// serialisation as it would have read the source, for an ordinary caller Adapt ends with a
// document that Load takes again, and changes nothing in that one when asked a second time.
func FuzzLoad(f *testing.F) {
	files, err := filepath.Glob("testdata/bundles/*.json")
	if err != nil {
		f.Fatal(err)
	}
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(string(data))
	}
	f.Add(`{"ociVersion": "1.0.0", "Process": null, "linux": {"namespaces": [{"type": "user", "path": "/x"}]}}`)
	dir := f.TempDir()
	for _, sub := range []string{"rootfs", "data"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			f.Fatal(err)
		}
	}
	f.Fuzz(func(t *testing.T, source string) {
		b := loadText(t, dir, source)
		if b == nil {
			return
		}
		if diff := cmp.Diff(typed(t, source), typed(t, string(b.JSON()))); diff != "" {
			t.Fatalf("our serialisation reads differently:\n%s", diff)
		}
		o := callers()["user"]
		if b.Judge(Policy{AnyHooks: true, Annotations: []string{""}}) != nil || b.Adapt(o) != nil {
			return
		}
		again := loadText(t, dir, string(b.JSON()))
		if again == nil {
			t.Fatalf("Load refuses the effective document:\n%s", b.JSON())
		}
		if err := again.Adapt(o); err != nil {
			t.Fatalf("adapting the effective document: %v\n%s", err, b.JSON())
		}
		if diff := cmp.Diff(string(b.JSON()), string(again.JSON())); diff != "" {
			t.Fatalf("adapting twice is not adapting once:\n%s\n%v", diff, again.Changes())
		}
	})
}

func loadText(t *testing.T, dir, source string) *Bundle {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(source), 0o644); err != nil {
		t.Fatal(err)
	}
	b, err := Load(dir)
	if err != nil {
		return nil
	}
	return b
}

func typed(t *testing.T, source string) specs.Spec {
	t.Helper()
	var spec specs.Spec
	if err := json.Unmarshal([]byte(source), &spec); err != nil {
		t.Fatalf("the specification's types refuse what Load takes: %v\n%s", err, source)
	}
	return spec
}
