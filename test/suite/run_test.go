package main

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/berth-hpc/berth/internal/await"
	"golang.org/x/sys/unix"
)

// shell is a part that runs a line of shell.
func shell(t *testing.T, kind kind, line string) part {
	return part{name: "a part", dir: t.TempDir(), command: []string{"sh", "-c", line}, kind: kind}
}

// outcome runs a part, with an hour's limit.
func outcome(t *testing.T, p part) (*result, []failure) {
	t.Helper()
	var told []failure
	r, err := p.do(t.Context(), time.Hour, filepath.Join(t.TempDir(), "log"), func(f failure) { told = append(told, f) })
	must(t, err)
	return r, told
}

func TestPartsThatAreOneTest(t *testing.T) {
	t.Parallel()
	for line, want := range map[string][2]string{":": {"pass", "pass"}, "echo a word": {"fail", "pass"}, "exit 3": {"fail", "fail"}, "echo a word; exit 3": {"fail", "fail"}} {
		for i, kind := range []kind{check, whole} {
			r, told := outcome(t, shell(t, kind, line))
			if r.outcomes[theProgram] != want[i] || (len(told) > 0) != (want[i] == "fail") {
				t.Errorf("%q of kind %d: %v, told %v; want %s", line, kind, r.outcomes, told, want[i])
			}
		}
	}
}

func TestProgramFailsWithoutAFailedTest(t *testing.T) {
	t.Parallel()
	r, told := outcome(t, shell(t, tests, `echo '{"Action":"pass","Test":"TestA"}'; echo left: a process; exit 1`))
	if r.outcomes[theProgram] != "fail" || len(told) != 1 || !strings.Contains(strings.Join(told[0].tail, ""), "left: a process") {
		t.Errorf("%v, told %v", r.outcomes, told)
	}
	if r, _ := outcome(t, shell(t, tests, `echo '{"Action":"fail","Test":"TestA"}'; exit 1`)); r.outcomes[theProgram] != "" {
		t.Errorf("a failed test is told twice: %v", r.outcomes)
	}
}

func TestFilteredPart(t *testing.T) {
	t.Parallel()
	p := shell(t, tests, `echo TestA; exit 1`)
	p.filter = filepath.Join(p.dir, "filter")
	must(t, os.WriteFile(p.filter, []byte("#!/bin/sh\nwhile read -r test; do echo '{\"Action\":\"fail\",\"Test\":\"'$test'\"}'; done\n"), 0o755))
	r, told := outcome(t, p)
	if len(r.outcomes) != 1 || r.outcomes["TestA"] != "fail" || len(told) != 1 {
		t.Errorf("%v, told %v", r.outcomes, told)
	}
}

// The part's whole process group ends with the run: nobody reads the FIFO any more.
func TestInterrupted(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	fifo := filepath.Join(dir, "fifo")
	must(t, unix.Mkfifo(fifo, 0o600))
	p := shell(t, tests, "(exec <"+fifo+"; read -r line) & wait")
	ctx, cancel := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		_, err := p.do(ctx, time.Hour, filepath.Join(dir, "log"), nil)
		ended <- err
	}()
	write, err := os.OpenFile(fifo, os.O_WRONLY, 0) // once somebody reads
	must(t, err)
	defer write.Close()
	cancel()
	if err := await.Closed(t, "the end of the part", ended); !errors.Is(err, context.Canceled) {
		t.Errorf("ended with %v, want %v", err, context.Canceled)
	}
	await.True(t, func() string { return "the end of the reader" }, func() bool {
		_, err := write.WriteString("x")
		return errors.Is(err, unix.EPIPE)
	})
}

// What a program leaves behind may hold its output for ever: then the part fails at its limit.
func TestHeldOutput(t *testing.T) {
	t.Parallel()
	p := shell(t, tests, "sleep 1000 & exit 0")
	var told []failure
	r, err := p.do(t.Context(), 200*time.Millisecond-spare, filepath.Join(t.TempDir(), "log"), func(f failure) { told = append(told, f) })
	if err != nil || r.outcomes[theProgram] != "fail" || len(told) != 1 {
		t.Errorf("%v, told %v, %v", r, told, err)
	}
}
