package bundle

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/internal/golden"
	"github.com/berth-hpc/berth/sdk"
)

// write makes a bundle of a document below testdata/bundles and returns its directory.
func write(t *testing.T, document string) string {
	t.Helper()
	data, err := os.ReadFile(filepath.Join("testdata/bundles", document+".json"))
	if err != nil {
		t.Fatal(err)
	}
	return writeText(t, string(data))
}

func writeText(t *testing.T, config string) string {
	t.Helper()
	dir, err := filepath.EvalSymlinks(t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	for _, sub := range []string{"rootfs", "data"} {
		if err := os.Mkdir(filepath.Join(dir, sub), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, content := range map[string]string{"config.json": config, "init": "", "status": ""} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}

func callers() map[string]Options {
	user := Caller{UID: 2000, GID: 2000, Groups: []int{2001}, InitialUserns: true}
	sub := user
	sub.SubUIDs, sub.SubGIDs = []Range{{100000, 65536}}, []Range{{200000, 10}, {300000, 60000}}
	nested := Caller{SubUIDs: []Range{{1, 1000}}, SubGIDs: []Range{{1, 4}}}
	return map[string]Options{
		"user":   {Caller: user, Rootless: true},
		"subids": {Caller: sub, Rootless: true},
		"slurm":  {Caller: user, Rootless: true, Slurm: true},
		"root":   {Caller: Caller{InitialUserns: true}},
		"nested": {Caller: nested},
	}
}

func documents(t *testing.T) []string {
	files, err := filepath.Glob("testdata/bundles/*.json")
	if err != nil || len(files) == 0 {
		t.Fatalf("no documents: %v", err)
	}
	for i, file := range files {
		files[i] = strings.TrimSuffix(filepath.Base(file), ".json")
	}
	return files
}

// TestGolden adapts every kind of bundle for every kind of caller.
func TestGolden(t *testing.T) {
	for _, document := range documents(t) {
		for name, o := range callers() {
			t.Run(document+"/"+name, func(t *testing.T) {
				dir := write(t, document)
				o.InitPath = filepath.Join(dir, "init")
				golden.Check(t, "testdata/golden/"+document+"."+name+".txt", adaptText(t, dir, o))
			})
		}
	}
}

// TestGoldenOptions sets every option at once.
func TestGoldenOptions(t *testing.T) {
	dir := write(t, "stock")
	o := callers()["user"]
	terminal := false
	o.Args = []string{"a.out", "", "two words", "line\nline"}
	o.Env = []string{"TERM=dumb", "NEW=a=b", "EMPTY="}
	o.Workdir, o.WorkdirMayBeMissing = "/work//dir/", true
	o.Mounts = []Mount{{Source: dir + "/data", Destination: "/data/", Options: nil}}
	o.Terminal = &terminal
	o.InitPath, o.Init, o.Signals, o.StatusFile, o.ByName = dir+"/init", true, "direct", dir+"/status", true
	o.EndWithRuntime = true
	o.Poststop = []string{"/usr/libexec/berth/berth-init", "--rm", "/run/berth/2000/x"}
	o.SetAnnotations = map[string]string{"org.berth.b": "2", "org.berth.a": "1"}
	golden.Check(t, "testdata/golden/options.txt", adaptText(t, dir, o))
}

// TestGoldenWorkdir: without leave to be missing, the directory is the process's own. The terminal has
// a size, and the process the task's umask and limit of open files.
func TestGoldenWorkdir(t *testing.T) {
	dir := write(t, "minimal")
	o := callers()["user"]
	o.Workdir = "/work//dir/"
	terminal, umask := true, 0o077
	o.Terminal, o.Rows, o.Columns, o.Umask = &terminal, 24, 80, &umask
	o.OpenFiles = &specs.POSIXRlimit{Type: "RLIMIT_NOFILE", Soft: 1024, Hard: 524288}
	golden.Check(t, "testdata/golden/workdir.txt", adaptText(t, dir, o))
}

// adaptText returns the changes and the effective document, or the error, without this run's paths.
func adaptText(t *testing.T, dir string, o Options) string {
	t.Helper()
	b, err := Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := b.Adapt(o); err != nil {
		fmt.Fprintf(&out, "%s: %v\nadvice: %s\n", sdk.Kind(err), err, sdk.Advice(err))
	} else {
		for _, c := range b.Changes() {
			fmt.Fprintf(&out, "%s: %s\n", c.Path, c.Why)
		}
		if b.InitLeftOut() != "" {
			fmt.Fprintf(&out, "berth-init left out: %s\n", b.InitLeftOut())
		}
		fmt.Fprintf(&out, "\n%s", b.JSON())
	}
	return strings.ReplaceAll(out.String(), dir, "/BUNDLE")
}
