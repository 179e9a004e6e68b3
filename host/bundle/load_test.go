package bundle

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
)

func TestLoadDocuments(t *testing.T) {
	const rest = `, "root": {"path": "rootfs"}}`
	tests := map[string]struct{ config, want string }{
		"empty":         {"", "/config.json:1:1: the document ends where a value is expected"},
		"null":          {"null", "/config.json:1:1: the document is null where an object is expected"},
		"array":         {"[]", "/config.json:1:1: the document is an array where an object is expected"},
		"deep":          {strings.Repeat(`{"a":`, 100000), "/config.json:1:321: objects and arrays are nested too deep"},
		"duplicate":     {`{"ociVersion": "1.0.0", "ociVersion": "1.0.0"}`, `/config.json:1:25: duplicate key "ociVersion"`},
		"no version":    {`{}`, "/config.json:1:1: ociVersion is missing"},
		"version 2":     {"{\n\t\"ociVersion\": \"2.0.0\"}", `/config.json:2:16: ociVersion is "2.0.0": berth reads bundles of version 1.x.y`},
		"version text":  {`{"ociVersion": "1.0"}`, `ociVersion is "1.0": berth`},
		"version type":  {`{"ociVersion": 1}`, "ociVersion is a number where a string is expected"},
		"args type":     {`{"ociVersion": "1.0.0", "process": {"args": "sh"}` + rest, "/config.json:1:45: process.args is a string where an array is expected"},
		"arg type":      {`{"ociVersion": "1.0.0", "process": {"args": ["sh", 1]}` + rest, "process.args[1] is a number where a string is expected"},
		"null item":     {`{"ociVersion": "1.0.0", "mounts": [null]}`, "mounts[0] is null where an object is expected"},
		"null value":    {`{"ociVersion": "1.0.0", "annotations": {"a.b": null}}`, `annotations["a.b"] is null where a string is expected`},
		"negative uid":  {`{"ociVersion": "1.0.0", "process": {"user": {"uid": -1}}}`, "process.user.uid is -1 where a number of type uint32 is expected"},
		"large uid":     {`{"ociVersion": "1.0.0", "process": {"user": {"uid": 4294967296}}}`, "process.user.uid is 4294967296 where"},
		"fraction":      {`{"ociVersion": "1.0.0", "process": {"user": {"uid": 1.0}}}`, "process.user.uid is 1.0 where"},
		"Hooks":         {`{"ociVersion": "1.0.0", "Hooks": {}}`, `Hooks is spelled "hooks" in the specification`},
		"K for k":       {"{\"ociVersion\": \"1.0.0\", \"hoo\u212as\": {}}", `is spelled "hooks" in the specification`},
		"nested case":   {`{"ociVersion": "1.0.0", "linux": {"seccomp": {"ListenerPath": "/x"}}}`, `linux.seccomp.ListenerPath is spelled "listenerPath"`},
		"bool":          {`{"ociVersion": "1.0.0", "process": {"terminal": "yes"}}`, "process.terminal is a string where true or false is expected"},
		"trailing data": {`{"ociVersion": "1.0.0"} {}`, "there is more after the end"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			wantInvalid(t, writeText(t, test.config), test.want)
		})
	}
}

func wantInvalid(t *testing.T, dir, want string) {
	t.Helper()
	_, err := Load(dir)
	if !errors.Is(err, sdk.ErrInvalid) || !strings.Contains(err.Error(), want) {
		t.Errorf("error %v, want an ErrInvalid with %q", err, want)
	}
}

// TestLoadFiles puts in the place of config.json what cannot be read.
func TestLoadFiles(t *testing.T) {
	tests := map[string]struct {
		make func(file string) error
		want string
	}{
		"missing":   {os.Remove, "config.json: no such file or directory"},
		"directory": {func(f string) error { return errors.Join(os.Remove(f), os.Mkdir(f, 0o755)) }, "config.json is not a regular file"},
		"fifo":      {func(f string) error { return errors.Join(os.Remove(f), syscall.Mkfifo(f, 0o644)) }, "config.json is not a regular file"},
		"socket":    {socket, "config.json is not a regular file"},
		"symlink":   {func(f string) error { return errors.Join(os.Rename(f, f+".real"), os.Symlink(f+".real", f)) }, "config.json is a symbolic link"},
		"device":    {func(f string) error { return errors.Join(os.Remove(f), os.Symlink("/dev/zero", f)) }, "config.json is a symbolic link"},
		"100 MB":    {func(f string) error { return os.Truncate(f, 100<<20) }, "config.json is larger than 16 MiB"},
	}
	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			dir := write(t, "minimal")
			if err := test.make(filepath.Join(dir, "config.json")); err != nil {
				t.Fatal(err)
			}
			done := make(chan struct{})
			go func() { defer close(done); wantInvalid(t, dir, test.want) }()
			await.Closed(t, "Load returns", done)
		})
	}
}

func socket(file string) error {
	if err := os.Remove(file); err != nil {
		return err
	}
	fd, err := syscall.Socket(syscall.AF_UNIX, syscall.SOCK_STREAM, 0)
	if err != nil {
		return err
	}
	defer syscall.Close(fd)
	return syscall.Bind(fd, &syscall.SockaddrUnix{Name: file})
}

func TestLoadUnreadable(t *testing.T) {
	if os.Getuid() == 0 {
		t.Log("root reads every file: only checked for an ordinary user")
		return
	}
	dir := write(t, "minimal")
	if err := os.Chmod(filepath.Join(dir, "config.json"), 0); err != nil {
		t.Fatal(err)
	}
	wantInvalid(t, dir, "config.json: permission denied")
}

func TestLoadNoDirectory(t *testing.T) {
	dir := t.TempDir()
	wantInvalid(t, dir+"/missing", "/missing: no such file or directory")
	if err := os.WriteFile(dir+"/file", nil, 0o644); err != nil {
		t.Fatal(err)
	}
	wantInvalid(t, dir+"/file", "/file: not a directory")
}

// TestLoadByLink: a link to a bundle is a bundle, and its real directory is the one that counts.
func TestLoadByLink(t *testing.T) {
	dir := write(t, "minimal")
	link := filepath.Join(t.TempDir(), "latest")
	if err := os.Symlink(dir, link); err != nil {
		t.Fatal(err)
	}
	b, err := Load(link)
	if err != nil {
		t.Fatal(err)
	}
	if b.Dir() != dir {
		t.Errorf("Dir is %q, want %q", b.Dir(), dir)
	}
}

// BenchmarkLoad measures an ordinary document and what is made to be expensive.
func BenchmarkLoad(b *testing.B) {
	head := `{"ociVersion": "1.0.0", `
	fill := func(unit string) string {
		return head + `"x": [` + strings.Repeat(unit+",", (maxConfig-100)/(len(unit)+1)) + `0]}`
	}
	stock, err := os.ReadFile("testdata/bundles/stock.json")
	if err != nil {
		b.Fatal(err)
	}
	for name, config := range map[string]string{
		"stock": string(stock), "numbers": fill("1"), "arrays": fill("[]"), "string": head + `"x": "` + strings.Repeat("a", maxConfig-100) + `"}`,
		"escapes": head + `"x": "` + strings.Repeat(`\u0041`, maxConfig/6-20) + `"}`, "spaces": strings.Repeat(" ", maxConfig),
		"lines":   strings.Repeat("\n", maxConfig),
		"objects": head + `"mounts": [` + strings.Repeat(`{"a":0},`, 49000) + `{}]}`,
	} {
		b.Run(name, func(b *testing.B) {
			dir := b.TempDir()
			if err := os.WriteFile(filepath.Join(dir, "config.json"), []byte(config), 0o644); err != nil {
				b.Fatal(err)
			}
			b.ReportAllocs()
			for b.Loop() {
				Load(dir)
			}
		})
	}
}
