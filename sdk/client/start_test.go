package client

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// fails starts the driver and returns why it could not.
func fails(t *testing.T, cfg Config) error {
	t.Helper()
	d, err := Start(idle(t.Context()), cfg)
	if err == nil {
		d.Close()
		t.Fatal("it started")
	}
	return err
}

func TestStartFaults(t *testing.T) {
	tests := []struct{ mode, says string }{
		{"start:exit", "ended before it was ready (exit status 3)"},
		{"start:exit0", "ended before it was ready (exit status 0)"},
		{"start:panic", "ended before it was ready (exit status 2): panic: no more, no less"},
		{"start:segv", "ended before it was ready (exit status 2): panic: runtime error"},
		{"start:kill", "ended before it was ready (killed by SIGKILL)"},
		{"say-and-exit:half a li", `ended within its first line of output: "half a li" (exit status 3)`},
		{"say:garbage\n", `is not a driver of berth: its first line of output is "garbage"`},
		{"say:\x1b[31mred\x1b[0m|\x07\n", `is not a driver of berth: its first line of output is "\x1b[31mred\x1b[0m|\a"`},
		{"say:\n", `is not a driver of berth: its first line of output is ""`},
		{"long-line", "its first line of output is longer than 4096 bytes"},
		{"say:1|99|unix|DIR/s|grpc|\n", "speaks protocol 99, this berth speaks 1: upgrade berth"},
		{"say:1|0|unix|DIR/s|grpc|\n", "speaks protocol 0, this berth speaks 1: upgrade the driver"},
		{"say:2|1|unix|DIR/s|grpc|\n", "speaks go-plugin's core protocol 2, this berth speaks 1"},
		{"say:1|1|unix|DIR/s|netrpc|\n", `speaks "netrpc" instead of grpc`},
		{"say:1|1|tcp|127.0.0.1:1|grpc|\n", `listens on "tcp" instead of a unix socket`},
		{"say:1|1|unix|/run/other.sock|grpc|\n", `listens at "/run/other.sock", outside the directory`},
		{"say:1|1|unix|DIR/../../s|grpc|\n", "outside the directory"},
		{"say:1|1|unix|DIR/s|grpc|" + strings.Repeat("A", 60) + "\n", "offers a TLS certificate"},
	}
	for _, tt := range tests {
		t.Run(tt.mode[:min(len(tt.mode), 20)], func(t *testing.T) {
			oneLine(t, fails(t, config(t, tt.mode)), tt.says)
		})
	}
}

func TestStartTimeout(t *testing.T) {
	for _, mode := range []string{"start:deaf", "start:stop", "close", "say:1|1|unix|no newline"} {
		t.Run(mode, func(t *testing.T) {
			cfg := config(t, mode)
			cfg.StartTimeout = 300 * time.Millisecond // what the driver hangs beyond: waited for in full
			oneLine(t, fails(t, cfg), "not ready within 300ms")
		})
	}
}

func TestStartCancelled(t *testing.T) {
	why := errors.New("interrupted by SIGTERM")
	ctx, cancel := context.WithCancelCause(t.Context())
	g := newGate(t)
	cfg := config(t, "gate")
	cfg.Env = append(cfg.Env, g.env())
	go func() {
		g.reached()
		cancel(why)
	}()
	_, err := Start(ctx, cfg)
	if !errors.Is(err, why) {
		t.Error(err)
	}
	oneLine(t, err)
}

func TestNotExecutable(t *testing.T) {
	dir := t.TempDir()
	file := func(name, text string, mode os.FileMode) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), mode); err != nil {
			t.Fatal(err)
		}
		return path
	}
	other := "\x7fELF\x02\x01\x01" + strings.Repeat("\x00", 9) + "\x02\x00\xf3\x00" + strings.Repeat("\x00", 44) // RISC-V
	if err := os.Mkdir(filepath.Join(dir, "directory"), 0o700); err != nil {
		t.Fatal(err)
	}
	tests := []struct{ path, says string }{
		{filepath.Join(dir, "missing"), "no such file or directory"},
		{filepath.Join(dir, "directory"), "permission denied"},
		{file("no-x", "#!/bin/sh\n", 0o600), "permission denied"},
		{file("text", "hello\n", 0o700), "exec format error"},
		{file("arch", other, 0o700), "exec format error"},
		{file("interpreter", "#!/no/such/interpreter\n", 0o700), "the interpreter or loader that it names is missing"},
		{file("script", "#!/bin/sh\necho sorry >&2\nexit 7\n", 0o700), "ended before it was ready (exit status 7): sorry"},
	}
	for _, tt := range tests {
		t.Run(filepath.Base(tt.path), func(t *testing.T) {
			cfg := Config{Name: "hostile", Path: tt.path, Scratch: scratch(t), StartTimeout: forever}
			oneLine(t, fails(t, cfg), tt.says)
		})
	}
}

func TestScratch(t *testing.T) {
	for _, dir := range []string{"", "relative", "/" + strings.Repeat("x", 200), "/no/such/directory"} {
		cfg := config(t, "")
		cfg.Scratch = dir
		oneLine(t, fails(t, cfg), "director")
	}
}

// What the caller's TMPDIR is does not matter: the socket is in the scratch directory.
func TestTmpdir(t *testing.T) {
	for _, dir := range []string{"/no/such/directory", "/tmp/" + strings.Repeat("x", 200)} {
		t.Setenv("TMPDIR", dir)
		cfg := config(t, "")
		cfg.Env = append(cfg.Env, "TMPDIR="+dir)
		if _, err := start(t, cfg).Run(t.Context(), container()); err != nil {
			t.Error(err)
		}
	}
}
