package oci

import (
	"os"
	"strings"
	"testing"
)

// The states of a container and what each operation makes of them.
func TestLifecycle(t *testing.T) {
	compare(t, []scenario{
		{name: "states", play: states, shows: "status running"},
		{name: "states with annotations", play: states, edits: []edit{set(object{"org.example.x": "y"}, "annotations")}, shows: "org.example.x"},
		{name: "unknown ID", play: unknownID, shows: "status 1", differs: map[string]string{"crun": "does not exist"}},
		{name: "same ID after a failed create", play: sameIDAgain, shows: "container ended with 0"},
		{name: "missing ID", play: missingID, shows: "failed true"},
		{name: "odd IDs", play: oddIDs, shows: "status 0"},
		{name: "wrong IDs", play: wrongIDs, runtime: "runc", shows: "status 1"}, // crun 1.8 takes them, ".." too
		{name: "same ID twice", play: sameID, shows: "already exists"},
		{name: "start twice", play: startTwice, shows: "status 1"},
		{name: "start after the end", play: startAfterEnd, shows: "status 1"},
		{name: "delete created", play: deleteCreated, shows: "status 0"},
		{name: "delete running", play: deleteRunning, shows: "status 1"},
		{name: "delete twice", play: deleteTwice, shows: "status 1", differs: map[string]string{"crun": "does not exist"}},
		{name: "kill before start", play: killBeforeStart, shows: "container ended with 137"},
		{name: "pause", root: true, play: pause, shows: "status paused", differs: map[string]string{"crun": "status paused"}},
		{name: "pause for a user", user: true, play: pauseUser, shows: "?"},
		{name: "delete paused", root: true, play: deletePaused, shows: "status 0"},
		{name: "update", root: true, play: update, shows: "pids.max: 44"},
		{name: "foreground", play: foreground, edits: []edit{script("echo out; echo err >&2; exit 3")}, shows: "container ended with 3"},
		{name: "foreground, facts", play: foreground},
		{name: "foreground, keep", runtime: "runc", play: keep, shows: "status stopped", differs: map[string]string{"runc": "status 1"}},
		{name: "detached", play: detached, shows: "status running"},
	})
}

func states(b *box) {
	r := b.created()
	b.ask("state", b.id)
	b.ask("start", b.id)
	r.says(b, "ready")
	b.ask("state", b.id)
	b.ask("kill", b.id, "TERM")
	b.ended(r)
	b.ask("state", b.id)
	b.ask("delete", b.id)
	b.ask("state", b.id)
}

func unknownID(b *box) {
	for _, args := range [][]string{{"state"}, {"start"}, {"kill"}, {"delete"}, {"delete", "--force"}, {"pause"}, {"resume"}, {"ps"},
		{"update", "--pids-limit", "3"}} {
		b.ask(append(args, "unknown-"+b.id)...)
	}
	b.ask("exec", "unknown-"+b.id, "true")
	b.ask("kill", "unknown-"+b.id, "KILL")
	b.ask("kill", "--all", "unknown-"+b.id, "KILL")
}

func missingID(b *box) {
	for _, verb := range [...]string{"state", "start", "kill", "delete", "pause", "resume", "ps", "exec", "update", "create", "run"} {
		r := b.do(call{args: []string{verb}}) // the text is the program's own usage
		b.note("%s: failed %v", verb, r.status != 0)
	}
}

func oddIDs(b *box) {
	for _, id := range [...]string{"a.b_c+d-" + b.id, "UPPER" + b.id, "1" + b.id} {
		b.ask("run", "--bundle", b.bundle(args("true")), id)
	}
}

func wrongIDs(b *box) {
	for _, id := range [...]string{"a/b", "a b", "", "..", "."} {
		b.ask("create", "--bundle", b.bundle(), id)
		b.ask("state", id)
	}
}

func sameID(b *box) {
	r := b.running()
	b.ask("create", "--bundle", b.path("bundle"), b.id)
	b.ask("run", "--bundle", b.path("bundle"), b.id)
	b.ask("kill", b.id)
	b.ended(r)
	b.ask("create", "--bundle", b.path("bundle"), b.id)
	b.ask("delete", b.id)
}

func sameIDAgain(b *box) {
	b.ask("create", "--bundle", b.bundle(args("no-such-program")), b.id)
	b.engine(call{}, b.bundle())
}

func startTwice(b *box) {
	r := b.running()
	b.ask("start", b.id)
	b.ask("state", b.id)
	b.ask("kill", b.id, "15")
	b.ended(r)
	b.ask("delete", b.id)
}

func startAfterEnd(b *box) {
	r := b.running()
	b.ask("kill", b.id, "9")
	b.ended(r)
	b.ask("start", b.id)
	b.ask("delete", b.id)
}

func deleteCreated(b *box) {
	r := b.created()
	b.ask("delete", b.id)
	b.ended(r)
	b.ask("state", b.id)
}

func deleteRunning(b *box) {
	r := b.running()
	b.ask("delete", b.id)
	b.ask("state", b.id)
	b.ask("delete", "--force", b.id)
	b.ended(r)
	b.ask("state", b.id)
}

func deleteTwice(b *box) {
	r := b.running()
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
	b.ask("delete", b.id)
	b.ask("delete", "--force", b.id)
}

func killBeforeStart(b *box) {
	r := b.created()
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("state", b.id)
	b.ask("start", b.id)
	b.ask("delete", b.id)
}

func pause(b *box) {
	r := b.running()
	b.ask("pause", b.id)
	b.eventually("frozen processes", func() bool { // crun does not wait for them
		return strings.Contains(b.do(call{args: []string{"state", b.id}}).stdout, "paused")
	})
	b.ask("state", b.id)
	b.ask("pause", b.id)
	b.ask("exec", b.id, "true")
	b.ask("resume", b.id)
	b.ask("state", b.id)
	b.ask("resume", b.id)
	b.ask("kill", b.id, "TERM")
	b.ended(r)
	b.ask("pause", b.id)
	b.ask("delete", b.id)
}

// pauseUser does not look at what became of the container: without a cgroup it is not paused.
func pauseUser(b *box) {
	r := b.running()
	b.ask("pause", b.id)
	b.ask("resume", b.id)
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
}

func deletePaused(b *box) {
	r := b.running()
	b.ask("pause", b.id)
	b.ask("delete", "--force", b.id)
	b.ended(r)
}

func update(b *box) {
	b.edits = append(b.edits, resource(object{"limit": 64 << 20}, "memory"))
	r := b.running()
	b.ask("update", "--pids-limit", "44", b.id)
	b.noteLimits(r.pid())
	b.ask("update", "--memory", "33554432", "--cpu-share", "300", "--cpuset-cpus", "0", b.id)
	b.noteLimits(r.pid())
	document := b.path("resources.json")
	b.check(os.WriteFile(document, []byte(`{"pids": {"limit": 55}, "cpu": {"shares": 400}}`), 0o644))
	b.ask("update", "--resources", document, b.id)
	b.noteLimits(r.pid())
	in, err := os.Open(document)
	b.check(err)
	defer in.Close()
	b.tell(call{args: []string{"update", "--resources", "-", b.id}, stdin: in})
	b.noteLimits(r.pid())
	b.ask("update", "--resources", "/no/such/file", b.id)
	b.ask("update", "--memory", "surprise", b.id)
	b.ask("kill", b.id, "KILL")
	b.ended(r)
	b.ask("delete", b.id)
}

func keep(b *box) {
	b.ask("run", "--keep", "--bundle", b.bundle(args("true")), b.id)
	b.ask("state", b.id)
	b.ask("delete", b.id)
}

func detached(b *box) {
	bundle := b.bundle(append([]edit{script(wait)}, b.edits...)...)
	r := &running{pidFile: b.path("pid")}
	cmd, out, errs := b.start(call{args: []string{"run", "--detach", "--pid-file", r.pidFile, "--bundle", bundle, b.id}})
	r.out, r.errs = out, errs
	b.note("run: status %d", b.wait(cmd))
	r.says(b, "ready")
	b.ask("state", b.id)
	b.ask("kill", b.id)
	b.ended(r)
	b.ask("delete", b.id)
}
