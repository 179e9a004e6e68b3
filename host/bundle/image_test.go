package bundle

import (
	"encoding/json"
	"os"
	"path/filepath"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"
)

// TestLoadImage: a directory without a config.json becomes a container of its own, also where policy
// lets nothing of the node be mounted, and a link to it leads there.
func TestLoadImage(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "image")
	if err := os.Mkdir(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	latest := dir + "-latest"
	if err := os.Symlink("image", latest); err != nil {
		t.Fatal(err)
	}
	b, err := LoadImage(latest)
	if err != nil {
		t.Fatal(err)
	}
	if err := b.Judge(Policy{MountSources: []string{}}); err != nil {
		t.Fatal(err)
	}
	if err := b.Adapt(Options{Caller: Caller{UID: 2000, GID: 2000, InitialUserns: true}, Rootless: true, Args: []string{"true"}}); err != nil {
		t.Fatal(err)
	}
	var config specs.Spec
	if err := json.Unmarshal(b.JSON(), &config); err != nil {
		t.Fatal(err)
	}
	if config.Root.Path != dir || !config.Root.Readonly || config.Process.Args[0] != "true" || config.Process.Cwd != "/" {
		t.Errorf("got %s", b.JSON())
	}
	_, err = LoadImage(dir + "-missing")
	wantRefused(t, err, "reading image: lstat "+dir+"-missing")
}
