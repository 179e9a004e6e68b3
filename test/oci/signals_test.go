package oci

import (
	"fmt"
	"strings"
	"syscall"
	"testing"
)

// Signals by name and number, to one and to all processes, and those to a runtime in the foreground.
func TestSignals(t *testing.T) {
	compare(t, []scenario{
		{name: "names and numbers", play: signalForms, shows: "container ended with 7"},
		{name: "default", play: signalled(), shows: "container ended with 7"},
		{name: "KILL", play: signalled("KILL"), shows: "container ended with 137"},
		{name: "SIGKILL", play: signalled("SIGKILL"), shows: "container ended with 137"},
		{name: "9", play: signalled("9"), shows: "container ended with 137"},
		{name: "all", root: true, play: signalAll, shows: "container ended with 137"},
		{name: "all, without pid namespace", root: true, edits: []edit{without("pid"), bindProc}, play: signalAll, shows: "container ended with 137"},
		{name: "all for a user", user: true, play: signalAllUser, shows: "?", differs: both("container ended with 137")},
		{name: "unknown", play: unknownSignals, shows: "status", differs: map[string]string{"crun": "status 1"}},
		{name: "after the end", play: signalAfterEnd, shows: "?", differs: map[string]string{"crun": "status 1"}},
		{name: "to the runtime in the foreground", play: signalRuntime, shows: "run: status 7"},
	})
}

func containsAll(text string, words ...string) bool {
	for _, word := range words {
		if !strings.Contains(text, word) {
			return false
		}
	}
	return true
}

func signalForms(b *box) {
	r := b.running()
	for _, signal := range [...]string{"USR1", "SIGUSR1", "10", "HUP", "1", "WINCH", "28", "0"} {
		b.ask("kill", b.id, signal)
	}
	b.eventually("the last signal", func() bool { return containsAll(read(r.out.Name()), "USR1", "HUP") })
	b.ask("kill", b.id, "TERM")
	b.note("container ended with %d", b.reap(r.pidFile)) // signals that come together may be one
	b.ask("delete", b.id)
}

func signalled(signal ...string) func(b *box) {
	return func(b *box) {
		r := b.running()
		b.ask(append([]string{"kill", b.id}, signal...)...)
		b.ended(r)
		b.ask("delete", b.id)
	}
}

func signalAll(b *box) {
	b.edits = append(b.edits, script("sleep 100000 & "+wait))
	r := b.running()
	b.ask("kill", "--all", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
}

func signalAllUser(b *box) {
	r := b.running()
	b.ask("kill", "--all", b.id, "KILL")
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
}

func unknownSignals(b *box) {
	r := b.running()
	for _, signal := range [...]string{"SURPRISE", "99"} {
		b.ask("kill", b.id, signal)
	}
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
}

func signalAfterEnd(b *box) {
	r := b.running()
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("kill", b.id, "TERM")
	b.ask("kill", b.id, "KILL")
	b.ask("kill", "--all", b.id, "KILL")
	b.ask("delete", b.id)
}

func signalRuntime(b *box) {
	bundle := b.bundle(append([]edit{script(wait)}, b.edits...)...)
	cmd, out, errs := b.start(call{args: []string{"run", "--bundle", bundle, b.id}})
	r := &running{out: out, errs: errs}
	r.says(b, "ready")
	for _, s := range [...]syscall.Signal{syscall.SIGUSR1, syscall.SIGHUP} {
		b.check(cmd.Process.Signal(s))
		r.says(b, map[syscall.Signal]string{syscall.SIGUSR1: "USR1", syscall.SIGHUP: "HUP"}[s])
	}
	b.check(cmd.Process.Signal(syscall.SIGTERM))
	b.note("run: status %d", b.wait(cmd))
	b.note("stdout: %s", b.content(out))
	b.note("stderr: %s", fmt.Sprint(len(b.content(errs))))
	b.ask("state", b.id)
}
