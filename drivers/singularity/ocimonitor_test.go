package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"sync"
	"testing"

	"github.com/opencontainers/runtime-spec/specs-go"

	"github.com/berth-hpc/berth/internal/await"
	"github.com/berth-hpc/berth/sdk"
)

// lateMonitor is a lab with a container that a monitor watches, and a runtime that answers once more than it was asked
// before, by what is in a file. The monitor ends when the test says so.
type lateMonitor struct {
	*lab
	d   *oci
	end func()
}

func newLateMonitor(t *testing.T) *lateMonitor {
	t.Helper()
	l := newLab(t, "")
	l.c.ID = fmt.Sprintf("%s-%d", t.Name(), os.Getpid())
	d := ociOf(l, true, "")
	d.settings.Runtime = l.path("runtime")
	must(t, os.WriteFile(d.settings.Runtime, []byte("#!/bin/sh\necho >>"+l.path("asked")+"\n. "+l.path("answer")+"\n"), 0o755))
	must(t, os.WriteFile(mark(l.c), nil, 0o600))
	held, hold, err := os.Pipe()
	must(t, err)
	defer held.Close()
	monitor := &exec.Cmd{Path: "/bin/cat", Args: []string{"Apptainer OCI " + l.c.ID}, Stdin: held}
	must(t, monitor.Start())
	end := sync.OnceFunc(func() {
		hold.Close()
		_ = monitor.Wait()
	})
	t.Cleanup(end)
	return &lateMonitor{l, d, end}
}

// answers has the runtime say something from now on.
func (l *lateMonitor) answers(t *testing.T, script string) {
	t.Helper()
	must(t, os.WriteFile(l.path("next"), []byte(script+"\n"), 0o644))
	must(t, os.Rename(l.path("next"), l.path("answer")))
}

// askedOften waits until the runtime has been asked more often than would happen by chance.
func (l *lateMonitor) askedOften(t *testing.T) {
	t.Helper()
	await.True(t, func() string { return "the runtime is asked again" }, func() bool {
		text, _ := os.ReadFile(l.path("asked"))
		return len(text) >= 8
	})
	must(t, os.Remove(l.path("asked")))
}

// However long a monitor takes to write a container's state, the container is there, and its status is heard.
func TestOCIMonitorTakesItsTime(t *testing.T) {
	l := newLateMonitor(t)
	l.answers(t, "echo no container found with name x >&2; exit 255")
	var state *specs.State
	heard := make(chan error, 1)
	go func() {
		var err error
		state, err = l.d.State(await.Context(t), l.c)
		heard <- err
	}()
	l.askedOften(t)
	l.answers(t, `echo '{"id":"x","status":"running","pid":4194305}'`) // beyond what a pid can be: it has ended
	l.askedOften(t)
	l.askedOften(t)
	l.answers(t, `echo '{"id":"x","status":"stopped","exitCode":7}'`)
	if err := await.Closed(t, "the state", heard); err != nil || state.Status != specs.StateStopped || state.Annotations[sdk.ExitStatusAnnotation] != "7" {
		t.Errorf("%+v, %v", state, err)
	}
}

// A monitor that has ended writes nothing any more.
func TestOCIMonitorEnds(t *testing.T) {
	for answer, want := range map[string]string{
		"echo no container found with name x >&2; exit 255":  "",
		`echo '{"id":"x","status":"running","pid":4194305}'`: "stopped",
	} {
		l := newLateMonitor(t)
		l.answers(t, answer)
		var state *specs.State
		heard := make(chan error, 1)
		go func() {
			var err error
			state, err = l.d.State(await.Context(t), l.c)
			heard <- err
		}()
		l.askedOften(t)
		l.end()
		err := await.Closed(t, "the state", heard)
		if want == "" && !errors.Is(err, sdk.ErrNotFound) || want != "" && (err != nil || string(state.Status) != want) {
			t.Errorf("%s: %+v, %v", answer, state, err)
		}
	}
	l := newLateMonitor(t)
	l.answers(t, "echo no container found with name x >&2; exit 255")
	ctx, cancel := context.WithCancel(t.Context())
	heard := make(chan error, 1)
	go func() {
		_, err := l.d.State(ctx, l.c)
		heard <- err
	}()
	l.askedOften(t)
	cancel()
	if err := await.Closed(t, "the state", heard); !errors.Is(err, context.Canceled) || errors.Is(err, sdk.ErrNotFound) {
		t.Errorf("%v", err)
	}
}
