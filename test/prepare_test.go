package test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// These tests take turns: a user's steps are everybody's to release who is that user, and they count.

// preparing makes a site whose driver prepares steps, and the file of its notes.
func preparing(t *testing.T, fault string) (s *site, bundle, notes string) {
	t.Helper()
	need(t, "busybox")
	s = newSite(t)
	s.misbehaving(t, "prepare")
	s.driver = "prepare"
	notes = filepath.Join(t.TempDir(), "notes")
	s.configure(t, fmt.Sprintf("[drivers.prepare]\nnotes = %q\nfault = %q\n", notes, fault))
	return s, s.bundle(t, "true"), notes
}

// noted counts the lines of the notes that begin like this.
func noted(t *testing.T, notes, begin string) int {
	t.Helper()
	n := 0
	for line := range strings.Lines(read(notes)) {
		if strings.HasPrefix(line, begin) {
			n++
		}
	}
	return n
}

// Sixteen tasks that start at once share one import; it is undone when the last has ended.
func TestPrepareOnce(t *testing.T) {
	s, bundle, notes := preparing(t, "slow")
	if out := s.ok(t, "run", "-n", "16", bundle); out != strings.Repeat("image\n", 16) {
		t.Errorf("%q", out)
	}
	if p, r := noted(t, notes, "prepare"), noted(t, notes, "release"); p != 1 || r != 1 {
		t.Errorf("prepared %d times, released %d times", p, r)
	}
}

// The task that prepares dies with the work half done: another takes it up.
func TestPrepareAfterDeath(t *testing.T) {
	for _, sig := range []syscall.Signal{unix.SIGKILL, unix.SIGTERM} {
		t.Run(unix.SignalName(sig), func(t *testing.T) {
			s, bundle, notes := preparing(t, "hang-once")
			first := s.command(call{args: []string{"run", "--id", s.id(), "--launch", s.token, bundle}})
			bounded(t, first)
			eventually(t, "the first task prepares", func() bool { return exists(notes + ".hung") })
			var out strings.Builder
			second := s.command(call{args: []string{"run", "--id", s.id(), "--launch", s.token, bundle}})
			second.Stdout = &out
			bounded(t, second)
			check(t, first.Process.Signal(sig))
			_ = first.Wait()
			if got := statusOf(first.ProcessState); got != 128+int(sig) {
				t.Errorf("the first task ended with %d", got)
			}
			if err := second.Wait(); err != nil || out.String() != "image\n" {
				t.Errorf("the second task: %v, %q", err, out.String())
			}
			if p := noted(t, notes, "prepare"); p != 2 {
				t.Errorf("prepared %d times", p)
			}
			s.ok(t, "gc")
			if r := noted(t, notes, "release "+s.token); r != 1 {
				t.Errorf("released %d times", r)
			}
		})
	}
}

// What one task could not prepare no other tries again: all end with the same line.
func TestPrepareFails(t *testing.T) {
	s, bundle, notes := preparing(t, "fail")
	r := s.berth(t, "run", "-n", "8", bundle)
	if r.status != 125 || r.stdout != "" || strings.Count(r.stderr, "preparing step") != 8 ||
		strings.Count(r.stderr, "there is no such image") != 8 || !strings.Contains(r.stderr, "hint: look at the registry") {
		t.Errorf("%+v", r)
	}
	if p, rel := noted(t, notes, "prepare"), noted(t, notes, "release"); p != 1 || rel != 1 {
		t.Errorf("prepared %d times, released %d times", p, rel)
	}
}

// A driver's "not found" is a failure like any other, and not the lack of a note.
func TestPrepareFindsNothing(t *testing.T) {
	s, bundle, notes := preparing(t, "not-found")
	refused(t, s.berth(t, "run", bundle), "preparing step", "there is no such image")
	s.ok(t, "gc")
	if p, r := noted(t, notes, "prepare"), noted(t, notes, "release"); p != 1 || r != 1 {
		t.Errorf("prepared %d times, released %d times", p, r)
	}
}

// What was prepared for a single container stays for nobody longer than until the next one, or gc.
func TestPreparedIsReleased(t *testing.T) {
	s, bundle, notes := preparing(t, "")
	for range 3 {
		if out := s.ok(t, "run", bundle); out != "image\n" {
			t.Errorf("%q", out)
		}
	}
	if p, r := noted(t, notes, "prepare"), noted(t, notes, "release"); p != 3 || r != 2 {
		t.Errorf("prepared %d times, released %d times", p, r)
	}
	s.ok(t, "gc")
	if r := noted(t, notes, "release"); r != 3 {
		t.Errorf("released %d times", r)
	}
}

// gc leaves alone what a running container uses.
func TestPreparedIsInUse(t *testing.T) {
	s, bundle, notes := preparing(t, "hang-once")
	id := s.id()
	cmd := s.command(call{args: []string{"run", "--id", id, bundle}})
	bounded(t, cmd)
	eventually(t, "the task prepares", func() bool { return exists(notes + ".hung") })
	s.ok(t, "gc")
	if r := noted(t, notes, "release"); r != 0 {
		t.Errorf("released %d times while it was being prepared", r)
	}
	check(t, cmd.Process.Kill())
	_ = cmd.Wait()
	s.ok(t, "gc")
	if r := noted(t, notes, "release"); r != 1 {
		t.Errorf("released %d times", r)
	}
}

// At a terminal a person sees a bar, elsewhere short work is silent.
func TestPrepareShown(t *testing.T) {
	s, bundle, _ := preparing(t, "slow")
	before := time.Now()
	r := s.berth(t, "run", bundle)
	periods := int(time.Since(before) / (5 * time.Second)) // a line is due after each: none where the machine is fast
	if r.status != 0 || strings.Count(r.stderr, "\n") > periods {
		t.Errorf("%d lines are due at most: %+v", periods, r)
	}
	master, terminal := openTerminal(t)
	defer master.Close()
	cmd := s.command(call{args: []string{"run", bundle}})
	var out strings.Builder
	cmd.Stdout, cmd.Stderr = &out, terminal
	bounded(t, cmd)
	terminal.Close()
	var shown strings.Builder
	buf := make([]byte, 4096)
	for {
		n, err := master.Read(buf)
		if err != nil {
			break
		}
		shown.Write(buf[:n])
	}
	if err := cmd.Wait(); err != nil || out.String() != "image\n" {
		t.Errorf("%v, %q", err, out.String())
	}
	for _, part := range []string{"\r\x1b[Kimporting image [=", "of 1.0 MiB"} {
		if !strings.Contains(shown.String(), part) {
			t.Errorf("%q is not in %q", part, shown.String())
		}
	}
	if !strings.HasSuffix(shown.String(), "\r\x1b[K") {
		t.Errorf("something stays on the terminal: %q", shown.String())
	}
	s.ok(t, "gc")
}

func exists(path string) bool { _, err := os.Stat(path); return err == nil }
