package oci

import (
	"os"
	"strconv"
	"strings"
)

// running is a container that waits for a signal.
type running struct {
	pidFile   string
	out, errs *os.File
}

// wait is the program of a running container: it notes the signals that it can catch, ends at TERM
// with 7, and says when it is ready.
const wait = `trap 'echo TERM; exit 7' TERM; trap 'echo USR1' USR1; trap 'echo HUP' HUP; echo ready; while :; do sleep 0.02; done`

// created makes a container of the box's bundle, which does not run yet. It is nil where create fails.
func (b *box) created(options ...string) *running {
	b.t.Helper()
	r := &running{pidFile: b.path("pid")}
	bundle := b.bundle(append([]edit{script(wait)}, b.edits...)...)
	args := append([]string{"create", "--bundle", bundle, "--pid-file", r.pidFile}, options...)
	cmd, out, errs := b.start(call{args: append(args, b.id)})
	r.out, r.errs = out, errs
	if status := b.wait(cmd); status != 0 {
		b.note("create: status %d", status)
		text := b.content(errs)
		b.t.Logf("%q: %s", b.command, text)
		b.note("error: %s", kinds(text))
		return nil
	}
	return r
}

// running makes a container that runs.
func (b *box) running() *running {
	b.t.Helper()
	r := b.created()
	if r == nil {
		b.t.Fatalf("a container is not created:\n%s", b.said.String())
	}
	if s := b.do(call{args: []string{"start", b.id}}); s.status != 0 {
		b.t.Fatalf("start: %+v", s)
	}
	r.says(b, "ready")
	return r
}

func (r *running) pid() int {
	pid, _ := strconv.Atoi(strings.TrimSpace(read(r.pidFile)))
	return pid
}

// says waits until the container has said a word.
func (r *running) says(b *box, word string) {
	b.t.Helper()
	b.eventually("the word "+word, func() bool { return strings.Contains(read(r.out.Name()), word) })
}

// ended waits for the container's end and notes what came of it.
func (b *box) ended(r *running) {
	b.t.Helper()
	b.note("container ended with %d", b.reap(r.pidFile))
	b.note("stdout: %s", b.content(r.out))
	b.note("stderr: %s", b.content(r.errs))
}
